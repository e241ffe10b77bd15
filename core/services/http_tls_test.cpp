// TLS and proxies.

#include <chrono>
#include <map>
#include <thread>

#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "core/services/tls_contexts.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

HttpFailure kind_of(const Result<HttpAnswer, HttpError>& result) {
  INFO(failure_of(result));
  REQUIRE(!result);
  return result.error().kind;
}

// Every name is this machine, but for those that are not known.
HttpClientHooks local_names() {
  HttpClientHooks hooks;
  hooks.lookup = [](const std::string& host) -> Result<std::vector<std::string>> {
    if (host.starts_with("unknown")) return fail("host '" + host + "' cannot be resolved: unknown");
    if (host.starts_with("metadata")) return std::vector<std::string>{"127.0.0.1", "169.254.169.254"};
    return std::vector<std::string>{"127.0.0.1"};
  };
  return hooks;
}

std::string https(const std::string& host, const ScriptedServer& server) {
  return "https://" + host + ":" + std::to_string(server.port()) + "/";
}

struct TlsRequest : HttpRequest {
  TlsRequest(std::string address, std::string ca) : address_(std::move(address)), ca_(std::move(ca)) {
    url = address_;
    ca_pem = ca_;
    deadline = std::chrono::steady_clock::now() + 30s;
  }
  TlsRequest(const TlsRequest&) = delete;

 private:
  std::string address_;
  std::string ca_;
};

}  // namespace

TEST_CASE("Certificates are checked against the roots and the name, without case and for addresses too") {
  const TestCa ca;
  ScriptedServer server(always("ok"), ca.issue({"svc.test", "127.0.0.1"}));
  ClientFixture fixture({}, local_names());
  CHECK(fixture.get(TlsRequest(https("SVC.test", server), ca.pem())));
  CHECK(fixture.get(TlsRequest(https("svc.test.", server), ca.pem())));
  CHECK(fixture.get(TlsRequest(https("127.0.0.1", server), ca.pem())));
  CHECK(fixture.fetch(TlsRequest(https("svc.test", server), ca.pem())));
  const auto wrong_name = fixture.get(TlsRequest(https("other.test", server), ca.pem()));
  CHECK(kind_of(wrong_name) == HttpFailure::tls);
  CHECK(wrong_name.error().message.find("other.test") != std::string::npos);
  const auto unknown_ca = fixture.get(TlsRequest(https("svc.test", server), ""));
  CHECK(kind_of(unknown_ca) == HttpFailure::tls);
  CHECK(unknown_ca.error().message.find("SSL_CERT_DIR") != std::string::npos);
  const auto other_ca = fixture.fetch(TlsRequest(https("svc.test", server), TestCa().pem()));
  CHECK(kind_of(other_ca) == HttpFailure::tls);
  CHECK(other_ca.error().message.find("given for this connection") != std::string::npos);
}

TEST_CASE("Over TLS an idle connection that the peer closed or spoke on is replaced, for any method") {
  const bool speaks = GENERATE(false, true);
  const bool by_loop = GENERATE(false, true);
  CAPTURE(speaks, by_loop);
  const TestCa ca;
  ScriptedServer server(
      [&](Peer& peer) {
        peer.read_request();
        peer.answer("ok");
        if (!speaks) return;
        std::this_thread::sleep_for(20ms);
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        peer.wait_for_close();
      },
      ca.issue({"svc.test"}));
  ClientFixture fixture({}, local_names());
  TlsRequest request(https("svc.test", server), ca.pem());
  request.method = "POST";
  for (int i = 0; i < 3; ++i) {
    const auto answer = by_loop ? fixture.fetch(request) : fixture.get(request);
    INFO(failure_of(answer));
    REQUIRE(answer);
    CHECK(answer->body == "ok");
    std::this_thread::sleep_for(200ms);
  }
  CHECK(server.connections() == 3);
}

TEST_CASE("Over TLS a connection stays in use, whatever the peer says below HTTP") {
  const TestCa ca;
  ScriptedServer server(always("ok"),
                        ca.issue({"svc.test"}));  // TLS 1.3: session tickets follow the handshake
  ClientFixture fixture({}, local_names());
  TlsRequest request(https("svc.test", server), ca.pem());
  for (int i = 0; i < 3; ++i) {
    CHECK(fixture.get(request));
    CHECK(fixture.fetch(request));
  }
  CHECK(server.connections() == 2);  // one of each pool
}

TEST_CASE("Expired certificates, plain servers and servers that hang up fail as TLS") {
  const TestCa ca;
  ClientFixture fixture({}, local_names());
  ScriptedServer expired(always("ok"), ca.issue({"svc.test"}, -1));
  const auto late = fixture.get(TlsRequest(https("svc.test", expired), ca.pem()));
  CHECK(kind_of(late) == HttpFailure::tls);
  CHECK(late.error().message.find("expired") != std::string::npos);
  ScriptedServer plain([](Peer& peer) { peer.send("HTTP/1.1 400 Bad\r\n\r\n"); });
  CHECK(kind_of(fixture.get(TlsRequest(https("svc.test", plain), ca.pem()))) == HttpFailure::tls);
  ScriptedServer closes([](Peer&) {});
  CHECK(kind_of(fixture.get(TlsRequest(https("svc.test", closes), ca.pem()))) == HttpFailure::tls);
}

TEST_CASE("Verification can be switched off, and the server name be another") {
  const TestCa ca;
  std::string seen;
  ScriptedServer server(
      [&](Peer& peer) {
        seen = peer.server_name();
        while (!peer.read_request().empty()) peer.answer("ok");
      },
      ca.issue({"inner.test"}));
  ClientFixture fixture({}, local_names());
  TlsRequest unverified(https("any.test", server), "");
  unverified.verify_certificate = false;
  CHECK(fixture.get(unverified));
  TlsRequest renamed(https("outer.test", server), ca.pem());
  CHECK(kind_of(fixture.get(renamed)) == HttpFailure::tls);
  renamed.server_name = "inner.test";
  CHECK(fixture.get(renamed));
  CHECK(seen == "inner.test");
  CHECK(server.requests().back().find("Host: outer.test") != std::string::npos);
  TlsRequest literal(https("127.0.0.1", server), "");
  literal.verify_certificate = false;
  CHECK(fixture.get(literal));
  CHECK(seen.empty());
}

TEST_CASE("Client certificates are shown, and a key that does not fit is an error") {
  const TestCa ca;
  const auto own = ca.issue({"client"});
  const auto other = ca.issue({"other"});
  ScriptedServer server(always("ok"), ca.issue({"svc.test"}), ca.pem());
  ClientFixture fixture({}, local_names());
  TlsRequest request(https("svc.test", server), ca.pem());
  CHECK(!fixture.get(request));
  request.client_certificate_pem = own.certificate;
  request.client_key_pem = own.key;
  CHECK(fixture.get(request));
  request.client_key_pem = other.key;
  CHECK(kind_of(fixture.get(request)) == HttpFailure::tls);
  request.client_key_pem = "nonsense";
  const auto bad = fixture.get(request);
  CHECK(kind_of(bad) == HttpFailure::tls);
  CHECK(bad.error().message.find("nonsense") == std::string::npos);
  request.client_key_pem = "";
  CHECK(kind_of(fixture.get(request)) == HttpFailure::tls);
}

TEST_CASE("Two TLS identities on one address never share a connection") {
  const TestCa ca;
  const auto one = ca.issue({"client-1"});
  const auto two = ca.issue({"client-2"});
  ScriptedServer server(always("ok"), ca.issue({"svc.test", "b.test"}));
  ClientFixture fixture({}, local_names());
  TlsRequest request(https("svc.test", server), ca.pem());
  size_t expected = 0;
  const auto opens_one = [&] {
    REQUIRE(fixture.get(request));
    CHECK(server.connections() == ++expected);
    REQUIRE(fixture.get(request));
    CHECK(server.connections() == expected);
  };
  opens_one();
  request.client_certificate_pem = one.certificate;
  request.client_key_pem = one.key;
  opens_one();
  request.client_certificate_pem = two.certificate;
  request.client_key_pem = two.key;
  opens_one();
  request.client_certificate_pem = request.client_key_pem = "";
  request.verify_certificate = false;
  opens_one();
  request.verify_certificate = true;
  request.server_name = "b.test";
  opens_one();
  request.server_name = "";
  const std::string both = ca.pem() + TestCa().pem();
  request.ca_pem = both;
  opens_one();
}

TEST_CASE("Client certificate and server name stay behind when a redirect leaves the origin") {
  const TestCa ca;
  const auto own = ca.issue({"client"});
  std::string name_at_second;
  ScriptedServer second(
      [&](Peer& peer) {
        name_at_second = peer.server_name();
        while (!peer.read_request().empty()) peer.answer("ok");
      },
      ca.issue({"svc.test"}));
  ScriptedServer strict(always("never"), ca.issue({"svc.test"}), ca.pem());
  std::string target = https("svc.test", second);
  ScriptedServer first(
      [&](Peer& peer) {
        while (!peer.read_request().empty()) {
          peer.send("HTTP/1.1 302 Found\r\nLocation: " + target + "\r\nContent-Length: 0\r\n\r\n");
        }
      },
      ca.issue({"inner.test"}), ca.pem());
  ClientFixture fixture({}, local_names());
  TlsRequest request(https("svc.test", first), ca.pem());
  request.client_certificate_pem = own.certificate;
  request.client_key_pem = own.key;
  request.server_name = "inner.test";
  request.follow_redirects = true;
  const auto followed = fixture.get(request);
  INFO(failure_of(followed));
  CHECK(followed);
  CHECK(name_at_second == "svc.test");
  target = https("svc.test", strict);
  CHECK(!fixture.get(request));
}

TEST_CASE("A TLS body without length that ends without TLS' own end counts as cut off") {
  const TestCa ca;
  ScriptedServer server(
      [](Peer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\n\r\nhalf");
        peer.reset();
      },
      ca.issue({"svc.test"}));
  ClientFixture fixture({}, local_names());
  CHECK(kind_of(fixture.get(TlsRequest(https("svc.test", server), ca.pem()))) == HttpFailure::connect);
}

TEST_CASE("The cache of TLS contexts is bounded and gives equal identities the same context") {
  TlsContexts contexts(TrustStore::load({}).value());
  const TestCa ca;
  TlsIdentity identity;
  identity.ca_pem = ca.pem();
  const auto first = contexts.get(identity, identity.fingerprint()).value();
  CHECK(contexts.get(identity, identity.fingerprint()).value() == first);
  for (int i = 0; i < 100; ++i) REQUIRE(contexts.get(TlsIdentity(), "key " + std::to_string(i)));
  CHECK(contexts.get(identity, identity.fingerprint()).value() != first);
  TlsIdentity unverified = identity;
  unverified.verify = false;
  CHECK(unverified.fingerprint() != identity.fingerprint());
  identity.ca_pem = "nonsense";
  CHECK(!contexts.get(identity, identity.fingerprint()));
}

TEST_CASE("http goes through a proxy in absolute form, with authorization; its 407 is handed over") {
  ScriptedServer proxy([](Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty();) {
      if (request.find("Proxy-Authorization: Basic dTpw\r\n") != std::string::npos) {
        peer.answer("through");
      } else {
        peer.send("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
      }
    }
  });
  const std::string address = "127.0.0.1:" + std::to_string(proxy.port());
  ClientFixture known({"http://u:p@" + address, "", ""}, local_names());
  CHECK(known.get("http://unknown.test:81/a?b")->body == "through");
  CHECK(proxy.requests()[0].starts_with(
      "GET http://unknown.test:81/a?b HTTP/1.1\r\nHost: unknown.test:81\r\n"));
  CHECK(known.get("http://other.test/")->body == "through");
  CHECK(proxy.connections() == 2);  // one for each target
  ClientFixture stranger({"http://" + address, "", ""}, local_names());
  CHECK(stranger.get("http://unknown.test/")->head.status == 407);
}

TEST_CASE("https goes through CONNECT") {
  const TestCa ca;
  ScriptedServer origin(always("secret"), ca.issue({"svc.test"}));
  ScriptedServer proxy([&](Peer& peer) {
    const auto request = peer.read_request();
    if (request.find("Proxy-Authorization: Basic dTpw\r\n") == std::string::npos) {
      peer.send("HTTP/1.1 407 Who are you\r\nContent-Length: 5\r\n\r\nhello");
      return;
    }
    peer.send("HTTP/1.1 200\r\nContent-Length: 10\r\n\r\n");
    peer.relay(origin.port());
  });
  const std::string address = "127.0.0.1:" + std::to_string(proxy.port());
  {
    ClientFixture fixture({"", "u:p@" + address, ""}, local_names());
    TlsRequest request("https://svc.test:4443/", ca.pem());
    for (int i = 0; i < 2; ++i) {
      const auto answer = fixture.get(request);
      INFO(failure_of(answer));
      REQUIRE(answer);
      CHECK(answer->body == "secret");
    }
    CHECK(fixture.fetch(request)->body == "secret");
    CHECK(proxy.connections() == 2);
    CHECK(proxy.requests()[0] ==
          "CONNECT svc.test:4443 HTTP/1.1\r\nHost: svc.test:4443\r\nProxy-Authorization: Basic dTpw\r\n\r\n");
    CHECK(kind_of(fixture.get(TlsRequest("https://other.test/", ca.pem()))) == HttpFailure::tls);
  }
  ClientFixture stranger({"", "http://x:hidden@" + address, ""}, local_names());
  const auto refused = stranger.get(TlsRequest("https://svc.test/", ca.pem()));
  CHECK(kind_of(refused) == HttpFailure::connect);
  CHECK(refused.error().message.find("407") != std::string::npos);
  CHECK(refused.error().message.find("hidden") == std::string::npos);
}

TEST_CASE("A proxy may itself speak TLS") {
  const TestCa ca;
  ScriptedServer origin(always(std::string(300000, 's')), ca.issue({"svc.test"}));
  ScriptedServer proxy(
      [&](Peer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\n\r\n");
        peer.relay(origin.port());
      },
      ca.issue({"127.0.0.1"}));
  std::string file = "/tmp/par-proxy-ca-XXXXXX";
  const FileDescriptor out(mkstemp(file.data()));
  REQUIRE(::write(out.get(), ca.pem().data(), ca.pem().size()) > 0);
  ClientFixture fixture({"", "https://127.0.0.1:" + std::to_string(proxy.port()), ""}, local_names(),
                        {{}, file});
  ::unlink(file.c_str());
  TlsRequest request("https://svc.test/", "");
  const auto answer = fixture.get(request);
  INFO(failure_of(answer));
  REQUIRE(answer);
  CHECK(answer->body.size() == 300000);
  CHECK(fixture.fetch(request)->body.size() == 300000);
}

TEST_CASE("Proxies that misbehave") {
  const TestCa ca;
  const std::string says =
      GENERATE("", "HTTP/1.1 200 OK\r\n\r\nextra", "garbage\r\n\r\n", "HTTP/1.1 502 Bad\r\n\r\n");
  INFO(says);
  ScriptedServer proxy([&](Peer& peer) {
    peer.read_request();
    peer.send(says);
  });
  ClientFixture fixture({"", "http://127.0.0.1:" + std::to_string(proxy.port()), ""}, local_names());
  const auto kind = kind_of(fixture.get(TlsRequest("https://svc.test/", ca.pem())));
  CHECK((kind == HttpFailure::connect || kind == HttpFailure::protocol));
}

TEST_CASE(
    "Through a proxy, blocked literals and names that resolve to one here are refused, unknown names are "
    "not") {
  ScriptedServer proxy(always("through"));
  ClientFixture fixture({"http://127.0.0.1:" + std::to_string(proxy.port()), "", ""}, local_names());
  const EgressSettings settings;
  const EgressPolicy policy(egress_row("com.datadoghq.http"), settings);
  HttpRequest request;
  for (const char* url :
       {"http://169.254.169.254/", "http://[::ffff:169.254.169.254]/", "http://metadata.test/"}) {
    INFO(url);
    request.url = url;
    CHECK(kind_of(fixture.get(request, policy)) == HttpFailure::policy);
  }
  CHECK(proxy.connections() == 0);
  request.url = "http://unknown.test/";
  CHECK(fixture.get(request, policy)->body == "through");
  request.url = "http://known.test/";
  CHECK(fixture.get(request, policy)->body == "through");
  request.url = "http://metadata.test/";
  CHECK(fixture.get(request)->body == "through");  // the control plane has no such rule
}
