#include <chrono>
#include <thread>

#include <zlib.h>

#include "core/policy/host_allowlist.hpp"
#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

namespace {

HttpClientHooks names(std::map<std::string, std::vector<std::string>> known) {
  HttpClientHooks hooks;
  hooks.lookup = [known = std::move(known)](const std::string& host) -> Result<std::vector<std::string>> {
    const auto at = known.find(host);
    if (at == known.end()) return fail("host '" + host + "' cannot be resolved: unknown");
    return at->second;
  };
  return hooks;
}

HttpFailure kind_of(const Result<HttpAnswer, HttpError>& result) {
  INFO(failure_of(result));
  REQUIRE(!result);
  return result.error().kind;
}

bool has_header(const std::string& request, const std::string& line) {
  return request.find("\r\n" + line + "\r\n") != std::string::npos;
}

std::string redirect(int status, const std::string& location) {
  return "HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + location +
         "\r\nContent-Length: 3\r\n\r\nold";
}

// Sends every redirect of `answers` in order, then 200.
ScriptedServer::Script redirects(std::vector<std::string> answers) {
  return [answers = std::move(answers), at = std::make_shared<std::atomic<size_t>>(0)](Peer& peer) {
    while (!peer.read_request().empty()) {
      const size_t number = (*at)++;
      if (number < answers.size()) {
        peer.send(answers[number]);
      } else {
        peer.answer("end");
      }
    }
  };
}

}  // namespace

TEST_CASE("301, 302 and 303 make a GET of anything but GET and HEAD; 307 and 308 repeat the request") {
  const int status = GENERATE(301, 302, 303, 307, 308);
  const std::string method = GENERATE("POST", "PUT", "GET", "HEAD");
  std::string moved = redirect(status, "/next?x=%2F#part");
  if (method == "HEAD") moved.resize(moved.size() - 3);  // whatever its length says, it has no body
  ScriptedServer server(redirects({moved}));
  ClientFixture fixture;
  HttpRequest request;
  const std::string url = server.url("/first");
  request.url = url;
  request.method = method;
  request.follow_redirects = true;
  request.headers = {{"Content-Type", "text/plain"}, {"X-Own", "1"}};
  if (method[0] == 'P') {
    request.has_body = true;
    request.body = {"some", " body"};
  }
  const auto answer = fixture.get(request);
  INFO(failure_of(answer));
  REQUIRE(answer);
  CHECK(answer->head.status == 200);
  CHECK(answer->body == (method == "HEAD" ? "" : "end"));
  CHECK(answer->head.redirects == 1);
  CHECK(answer->head.final_url == server.url("/next?x=%2F"));
  const auto second = server.requests().at(1);
  const bool repeats = status >= 307 || method[0] != 'P';
  CHECK(second.starts_with((repeats ? method : "GET") + " /next?x=%2F HTTP/1.1\r\n"));
  CHECK(second.ends_with("\r\n\r\nsome body") == (repeats && method[0] == 'P'));
  CHECK(has_header(second, "Content-Type: text/plain") == repeats);
  CHECK(has_header(second, "X-Own: 1"));
  CHECK(server.connections() == 1);  // the redirect's body was read
}

TEST_CASE("Redirects are handed over if they are not to be followed or say nothing") {
  ScriptedServer server(redirects(
      {redirect(302, "/x"), "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", redirect(304, "/x")}));
  ClientFixture fixture;
  CHECK(fixture.get(server.url())->head.status == 302);
  HttpRequest request;
  const std::string url = server.url();
  request.url = url;
  request.follow_redirects = true;
  CHECK(fixture.get(request)->head.status == 302);
}

TEST_CASE("Ten redirects are followed, eleven are not") {
  ClientFixture fixture;
  HttpRequest request;
  request.follow_redirects = true;
  {
    ScriptedServer server(redirects(std::vector<std::string>(10, redirect(302, "/again"))));
    const std::string url = server.url();
    request.url = url;
    CHECK(fixture.get(request)->head.redirects == 10);
  }
  ScriptedServer server(redirects(std::vector<std::string>(11, redirect(302, "/again"))));
  const std::string url = server.url();
  request.url = url;
  CHECK(kind_of(fixture.get(request)) == HttpFailure::protocol);
  CHECK(server.requests().size() == 11);
}

TEST_CASE("Credentials stay on the first host and hosts below it") {
  struct Case {
    const char* host;
    bool kept;
  };
  const auto test = GENERATE(Case{"a.test", true}, Case{"sub.a.test", true}, Case{"b.test", false},
                             Case{"nota.test", false}, Case{"test", false});
  ScriptedServer last(always("end"));
  ScriptedServer server(redirects(
      {redirect(302, "http://" + std::string(test.host) + ":" + std::to_string(last.port()) + "/")}));
  const std::vector<std::string> here{"127.0.0.1"};
  ClientFixture fixture(
      {},
      names({{"a.test", here}, {"sub.a.test", here}, {"b.test", here}, {"nota.test", here}, {"test", here}}));
  HttpRequest request;
  const std::string url = "http://a.test:" + std::to_string(server.port()) + "/";
  request.url = url;
  request.follow_redirects = true;
  request.headers = {
      {"authorization", "x"}, {"Cookie", "y"}, {"Cookie2", "z"}, {"WWW-Authenticate", "w"}, {"Other", "o"}};
  const auto answer = fixture.get(request);
  INFO(failure_of(answer));
  REQUIRE(answer);
  const auto second = last.requests().at(0);
  INFO(second);
  CHECK(has_header(second, "authorization: x") == test.kept);
  CHECK(has_header(second, "Cookie: y") == test.kept);
  CHECK(has_header(second, "Cookie2: z") == test.kept);
  CHECK(has_header(second, "WWW-Authenticate: w") == test.kept);
  CHECK(has_header(second, "Other: o"));
}

TEST_CASE("A redirect chain that came back does not get its credentials back") {
  const std::vector<std::string> here{"127.0.0.1"};
  std::string back;
  ScriptedServer away([&](Peer& peer) {
    peer.read_request();
    peer.send(redirect(302, back));
  });
  ScriptedServer server(redirects({redirect(302, "http://b.test:" + std::to_string(away.port()) + "/")}));
  back = "http://a.test:" + std::to_string(server.port()) + "/back";
  ClientFixture fixture({}, names({{"a.test", here}, {"b.test", here}}));
  HttpRequest request;
  const std::string url = "http://a.test:" + std::to_string(server.port()) + "/";
  request.url = url;
  request.follow_redirects = true;
  request.headers = {{"Authorization", "x"}};
  REQUIRE(fixture.get(request));
  CHECK(!has_header(server.requests().at(1), "Authorization: x"));
}

TEST_CASE("Redirects to other schemes and malformed addresses fail without quoting more than the origin") {
  const std::string location =
      GENERATE("ftp://x/", "file:///etc/passwd", "http://", "http://a b/", "http://x:99999/");
  ScriptedServer server(redirects({redirect(302, location)}));
  ClientFixture fixture;
  HttpRequest request;
  const std::string url = server.url("/secret?token=hidden");
  request.url = url;
  request.follow_redirects = true;
  const auto result = fixture.get(request);
  CHECK(kind_of(result) == HttpFailure::protocol);
  CHECK(result.error().message.find("hidden") == std::string::npos);
}

TEST_CASE("The host allowlist holds on the first hop and on every redirect, before any connection") {
  ScriptedServer last(always("end"));
  ScriptedServer server(redirects({redirect(302, "http://other.test:" + std::to_string(last.port()) + "/")}));
  ClientFixture fixture({}, names({{"ok.test", {"127.0.0.1"}}, {"other.test", {"127.0.0.1"}}}));
  EgressSettings settings;
  settings.host_allowlist = std::make_shared<HostAllowlist>(HostAllowlist::parse({"ok.test"}).value());
  const EgressPolicy policy(egress_row("com.datadoghq.http"), settings);
  HttpRequest request;
  request.follow_redirects = true;
  const std::string first = "http://OK.test:" + std::to_string(server.port()) + "/";
  request.url = first;
  CHECK(kind_of(fixture.get(request, policy)) == HttpFailure::policy);
  CHECK(server.connections() == 1);
  CHECK(last.connections() == 0);
  const std::string direct = "http://other.test:" + std::to_string(last.port()) + "/";
  request.url = direct;
  CHECK(kind_of(fixture.get(request, policy)) == HttpFailure::policy);
  CHECK(last.connections() == 0);
}

TEST_CASE("Metadata addresses are never dialled, however they are spelled or reached") {
  std::atomic<int> dials{0};
  auto hooks = names({{"one.test", {"169.254.169.254"}},
                      {"two.test", {"fd00:ec2::254", "::ffff:169.254.169.254"}},
                      {"2852039166", {"169.254.169.254"}}});
  ScriptedServer server(redirects({redirect(302, "http://169.254.169.254/latest/")}));
  hooks.dial = [&](const std::string& address, uint16_t port) {
    if (address != "127.0.0.1") ++dials;
    return std::pair(std::string("127.0.0.1"), port == 80 ? server.port() : port);
  };
  ClientFixture fixture({}, hooks);
  EgressSettings settings;
  const EgressPolicy policy(egress_row("com.datadoghq.http"), settings);
  HttpRequest request;
  request.follow_redirects = true;
  const std::string redirected = server.url();
  for (const std::string& url :
       {std::string("http://169.254.169.254/"), std::string("http://[::ffff:169.254.169.254]/"),
        std::string("http://[::169.254.169.254]/"), std::string("http://[64:ff9b::a9fe:a9fe]/"),
        std::string("http://[fd00:ec2::254]/"), std::string("http://[fd00:ec2::254%251]/"),
        std::string("http://one.test/"), std::string("http://two.test/"), std::string("http://2852039166/"),
        redirected}) {
    INFO(url);
    request.url = url;
    const auto result = fixture.get(request, policy);
    CHECK(kind_of(result) == HttpFailure::policy);
    CHECK(result.error().message.find("allowIMDSEndpoint") != std::string::npos);
  }
  CHECK(dials == 0);
  settings.allow_imds_endpoint = true;
  request.url = "http://169.254.169.254/";
  CHECK(fixture.get(request, policy));
  CHECK(dials == 1);
}

TEST_CASE("A name with some refused addresses is reached at the others") {
  ScriptedServer server(always("ok"));
  ClientFixture fixture({}, names({{"mixed.test", {"169.254.169.254", "127.0.0.1"}}}));
  const EgressSettings settings;
  HttpRequest request;
  const std::string url = "http://mixed.test:" + std::to_string(server.port()) + "/";
  request.url = url;
  CHECK(fixture.get(request, EgressPolicy(egress_row("org.example.x"), settings)));
}

TEST_CASE("A name is looked up once for a connection: what was checked is what is dialled") {
  ScriptedServer server(always("ok"));
  std::atomic<int> lookups{0};
  std::vector<std::string> dialled;
  HttpClientHooks hooks;
  hooks.lookup = [&](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{lookups++ == 0 ? "127.0.0.1" : "169.254.169.254"};
  };
  hooks.dial = [&](const std::string& address, uint16_t port) {
    dialled.push_back(address);
    return std::pair(std::string("127.0.0.1"), port);
  };
  const EgressSettings settings;
  const EgressPolicy policy(egress_row("com.datadoghq.http"), settings);
  const std::string port = std::to_string(server.port());
  {
    ClientFixture fixture({}, hooks);
    HttpRequest request;
    const std::string url = "http://changing.test:" + port + "/";
    request.url = url;
    CHECK(fixture.get(request, policy)->body == "ok");
    CHECK(fixture.get(request, policy)->body == "ok");  // on the kept connection, so without another look
    CHECK(lookups == 1);
    const std::string other = "http://other.test:" + port + "/";
    request.url = other;
    CHECK(kind_of(fixture.get(request, policy)) == HttpFailure::policy);
    CHECK(dialled == std::vector<std::string>{"127.0.0.1"});
  }
  // The proxy gets the name and decides for itself: that is what a proxy is for.
  lookups = 0;
  ClientFixture proxied({server.url(), "", ""}, hooks);
  HttpRequest request;
  request.url = "http://changing.test/";
  CHECK(proxied.get(request, policy)->body == "ok");
  CHECK(lookups == 1);
  CHECK(server.requests().back().starts_with("GET http://changing.test/ "));
}

TEST_CASE("Addresses are tried in order until one answers") {
  ScriptedServer server(always("ok"));
  ClientFixture fixture(
      {}, names({{"many.test", {"127.0.0.9", "::1", "127.0.0.1"}}, {"dead.test", {"127.0.0.9"}}}));
  CHECK(fixture.get("http://many.test:" + std::to_string(server.port()) + "/"));
  const auto dead = fixture.get("http://dead.test:" + std::to_string(server.port()) + "/?q=hidden");
  CHECK(kind_of(dead) == HttpFailure::connect);
  CHECK_FALSE(dead.error().sent);
  CHECK(dead.error().message.find("dead.test") != std::string::npos);
  CHECK(dead.error().message.find("127.0.0.9") != std::string::npos);
  CHECK(dead.error().message.find("hidden") == std::string::npos);
  CHECK(kind_of(fixture.get("http://unknown.test/")) == HttpFailure::resolve);
}

TEST_CASE("Kubernetes requests follow redirects within their origin only and may name a proxy") {
  ScriptedServer other(always("end"));
  ScriptedServer server(redirects({redirect(307, "/same"), redirect(302, other.url())}));
  ClientFixture fixture;
  const EgressSettings settings;
  const EgressPolicy policy(egress_row("com.datadoghq.kubernetes.core"), settings);
  HttpRequest request;
  const std::string url = server.url();
  request.url = url;
  request.follow_redirects = true;
  CHECK(kind_of(fixture.get(request, policy)) == HttpFailure::policy);
  CHECK(server.requests().size() == 2);
  CHECK(other.connections() == 0);
  ScriptedServer proxy(always("from the proxy"));
  const std::string proxy_url = proxy.url();
  request.proxy = proxy_url;
  CHECK(fixture.get(request, policy)->body == "from the proxy");
  for (const char* name : {"com.datadoghq.http", "com.datadoghq.jenkins", "org.example.x"}) {
    CHECK(kind_of(fixture.get(request, EgressPolicy(egress_row(name), settings))) == HttpFailure::policy);
  }
}

TEST_CASE("Requests that would not mean what they say are refused") {
  ClientFixture fixture;
  const auto refused = [&](auto change) {
    HttpRequest request;
    request.url = "http://127.0.0.1:1/";
    change(request);
    return kind_of(fixture.get(request)) == HttpFailure::invalid;
  };
  CHECK(refused([](auto& r) { r.url = "http://127.0.0.1/\r\nX: y"; }));
  CHECK(refused([](auto& r) { r.url = "ftp://127.0.0.1/"; }));
  CHECK(refused([](auto& r) { r.url = "nonsense"; }));
  CHECK(refused([](auto& r) { r.url = std::string_view("http://127.0.0.1/\0", 18); }));
  CHECK(refused([](auto& r) { r.method = "GET /"; }));
  CHECK(refused([](auto& r) { r.method = "G\r\nET"; }));
  CHECK(refused([](auto& r) { r.method = ""; }));
  CHECK(refused([](auto& r) { r.method = "CONNECT"; }));
  for (const char* name :
       {"Host", "content-length", "Transfer-Encoding", "CONNECTION", "a b", "", "a\r\nb", "a:"}) {
    INFO(name);
    CHECK(refused([&](auto& r) { r.headers = {{name, "x"}}; }));
  }
  for (const std::string& value : {std::string("a\rb"), std::string("a\nb"), std::string("a\0b", 3)}) {
    CHECK(refused([&](auto& r) { r.headers = {{"X", value}}; }));
  }
}

TEST_CASE("A body may be absent, empty, or of many parts; user info becomes Authorization") {
  ScriptedServer server(always("ok"));
  ClientFixture fixture;
  HttpRequest request;
  const std::string url = "http://us%65r:pw@127.0.0.1:" + std::to_string(server.port()) + "/";
  request.url = url;
  request.method = "DELETE";
  REQUIRE(fixture.get(request));
  CHECK(server.requests()[0].find("Content-Length") == std::string::npos);
  CHECK(has_header(server.requests()[0], "Authorization: Basic dXNlcjpwdw=="));
  request.has_body = true;
  REQUIRE(fixture.get(request));
  CHECK(has_header(server.requests()[1], "Content-Length: 0"));
  request.body = std::vector<std::string_view>(50, "ab");
  request.body.emplace_back();
  REQUIRE(fixture.get(request));
  CHECK(server.requests()[2].ends_with("\r\n\r\n" + std::string([] {
                                         std::string s;
                                         for (int i = 0; i < 50; ++i) s += "ab";
                                         return s;
                                       }())));
  request.has_body = false;
  request.body.clear();
  request.method = "POST";
  REQUIRE(fixture.get(request));
  CHECK(has_header(server.requests()[3], "Content-Length: 0"));
}
