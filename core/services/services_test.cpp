#include "core/services/services.hpp"

#include <chrono>
#include <thread>

#include "core/services/call_scope.hpp"
#include "core/services/openssl.hpp"
#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

// A call as the invoker makes it, without what services do not need.
struct TestCall {
  explicit TestCall(const std::string& plugin_namespace, std::optional<SteadyTime> deadline = std::nullopt)
      : scope(plugin_namespace, "signed-header", stop.get_token(), deadline) {
    call.struct_size = sizeof call;
    call.host_data = static_cast<CallScope*>(&scope);
  }
  std::stop_source stop;
  CallScope scope;
  par_call call{};
};

struct ServicesFixture {
  explicit ServicesFixture(HttpClientHooks hooks = {}, Milliseconds http_timeout = 30s)
      : fixture({}, std::move(hooks)),
        services(fixture.client, TrustStore::load({}).value(), settings, {http_timeout, nullptr}),
        http(static_cast<const par_http*>(services.find(PAR_HTTP_SERVICE))),
        net(static_cast<const par_net*>(services.find(PAR_NET_SERVICE))) {}
  EgressSettings settings;
  ClientFixture fixture;
  Services services;
  const par_http* http;
  const par_net* net;
};

par_str str(std::string_view text) {
  return {text.data(), text.size()};
}
par_bytes bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string text_of(par_str text) {
  return {text.ptr, text.len};
}
std::string text_of(par_bytes text) {
  return {reinterpret_cast<const char*>(text.ptr), text.len};
}

par_http_request request_for(const std::string& url) {
  par_http_request request{};
  request.struct_size = sizeof request;
  request.method = str("GET");
  request.url = str(url);
  return request;
}

}  // namespace

TEST_CASE("par.http/1 sends, shows the answer and streams the body") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 201 Made\r\nA: 1\r\nA: 2\r\nContent-Length: 11\r\n\r\nhello world");
    peer.read_request();
  });
  ServicesFixture host;
  TestCall call("com.datadoghq.http");
  const std::string url = server.url("/p?q=1");
  auto request = request_for(url);
  request.method = str("POST");
  const par_http_header headers[] = {{bytes("X-A"), bytes("1")},
                                     {bytes("user-agent"), bytes("own")},
                                     {bytes("SEC-DATADOG"), bytes("forged")}};
  const par_bytes body[] = {bytes("ab"), bytes(""), bytes("cd")};
  request.headers = headers;
  request.header_count = 3;
  request.body = body;
  request.body_count = 3;
  request.flags = PAR_HTTP_HAS_BODY;
  par_http_response* response = nullptr;
  REQUIRE(host.http->send(&call.call, &request, &response) == PAR_OK);
  CHECK(response->struct_size == sizeof(par_http_response));
  CHECK(response->failure == PAR_OK);
  CHECK(response->http_status == 201);
  CHECK(text_of(response->reason) == "Made");
  CHECK(text_of(response->final_url) == url);
  REQUIRE(response->header_count == 3);
  CHECK(text_of(response->headers[1].name) == "A");
  CHECK(text_of(response->headers[1].value) == "2");
  std::string all;
  uint8_t piece[4];
  size_t got = 0;
  do {
    REQUIRE(host.http->read(&call.call, response, piece, sizeof piece, &got) == PAR_OK);
    all.append(reinterpret_cast<char*>(piece), got);
  } while (got != 0);
  CHECK(all == "hello world");
  CHECK(host.http->read(&call.call, response, piece, sizeof piece, &got) == PAR_OK);
  host.http->release(&call.call, response);
  host.http->release(&call.call, response);
  host.http->release(&call.call, nullptr);
  host.http->release(nullptr, response);

  const std::string sent = server.requests().at(0);
  CHECK(sent.ends_with("\r\n\r\nabcd"));
  CHECK(sent.find("\r\nX-A: 1\r\n") != std::string::npos);
  CHECK(sent.find("\r\nUser-Agent: Datadog\r\n") != std::string::npos);
  CHECK(sent.find("\r\nSec-Datadog: signed-header\r\n") != std::string::npos);
  CHECK(sent.find("forged") == std::string::npos);
  CHECK(sent.find("own") == std::string::npos);
}

TEST_CASE("Only the HTTP integration gets the signed task's headers") {
  ScriptedServer server(always("ok"));
  ServicesFixture host;
  for (const char* name : {"com.datadoghq.jenkins", "com.datadoghq.kubernetes.core", "org.example.x"}) {
    TestCall call(name);
    const std::string url = server.url();
    const auto request = request_for(url);
    par_http_response* response = nullptr;
    REQUIRE(host.http->send(&call.call, &request, &response) == PAR_OK);
    CHECK(server.requests().back().find("Datadog") == std::string::npos);
  }
}

TEST_CASE("par.http/1 fills the response on failure too, with the kind") {
  ServicesFixture host;
  TestCall call("com.datadoghq.http");
  struct Case {
    std::string url;
    par_status status;
  };
  for (const auto& test : {Case{"http://169.254.169.254/x?token=hidden", PAR_POLICY},
                           Case{"nonsense", PAR_INVALID}, Case{"http://127.0.0.1:1/", PAR_CONNECT}}) {
    const auto request = request_for(test.url);
    par_http_response* response = nullptr;
    CHECK(host.http->send(&call.call, &request, &response) == test.status);
    REQUIRE(response);
    CHECK(response->failure == test.status);
    CHECK(response->http_status == 0);
    CHECK(!text_of(response->failure_text).empty());
    CHECK(text_of(response->failure_text).find("hidden") == std::string::npos);
    uint8_t piece[4];
    size_t got = 9;
    CHECK(host.http->read(&call.call, response, piece, sizeof piece, &got) == PAR_INVALID);
    CHECK(got == 0);
    host.http->release(&call.call, response);
  }
}

TEST_CASE("par.http/1 survives misuse") {
  ServicesFixture host;
  TestCall call("com.datadoghq.http");
  const std::string url = "http://127.0.0.1:1/";
  auto request = request_for(url);
  par_http_response* response = nullptr;
  CHECK(host.http->send(nullptr, &request, &response) == PAR_INVALID);
  REQUIRE(response);
  CHECK(response->failure == PAR_INVALID);
  uint8_t piece[4];
  size_t got = 0;
  CHECK(host.http->read(&call.call, response, piece, sizeof piece, &got) == PAR_INVALID);
  host.http->release(&call.call, response);
  CHECK(host.http->send(&call.call, &request, nullptr) == PAR_INVALID);
  CHECK(host.http->send(&call.call, nullptr, &response) == PAR_INVALID);
  CHECK(host.http->read(nullptr, nullptr, nullptr, 0, nullptr) == PAR_INVALID);
  const auto invalid = [&](auto change) {
    auto changed = request_for(url);
    change(changed);
    return host.http->send(&call.call, &changed, &response) == PAR_INVALID;
  };
  CHECK(invalid([](auto& r) { r.struct_size = 8; }));
  CHECK(invalid([](auto& r) { r.header_count = 1; }));
  CHECK(invalid([](auto& r) { r.body_count = 1; }));
  CHECK(invalid([](auto& r) { r.flags = 64; }));
  CHECK(invalid([](auto& r) { r.timeout_ms = -2; }));
  CHECK(invalid([](auto& r) { r.connect_timeout_ms = -1; }));
  CHECK(invalid([](auto& r) { r.method = {nullptr, 0}; }));
  CHECK(invalid([](auto& r) { r.url = {nullptr, 0}; }));
}

TEST_CASE("Time limits: the request's own, the runner's, the call's; a call's end is told as what it is") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.wait_for_close();
  });
  const std::string url = server.url();
  const auto status = [&](ServicesFixture& host, TestCall& call, int64_t timeout) {
    auto request = request_for(url);
    request.timeout_ms = timeout;
    par_http_response* response = nullptr;
    return host.http->send(&call.call, &request, &response);
  };
  ServicesFixture host({}, 50ms);
  TestCall endless("com.datadoghq.http");
  CHECK(status(host, endless, 50) == PAR_DEADLINE);
  CHECK(status(host, endless, 0) == PAR_DEADLINE);
  TestCall short_call("com.datadoghq.http", std::chrono::steady_clock::now() + 50ms);
  CHECK(status(host, short_call, -1) == PAR_DEADLINE);
  short_call.stop.request_stop();  // as the invoker does at the deadline
  CHECK(status(host, short_call, INT64_MAX) == PAR_DEADLINE);
  TestCall cancelled("com.datadoghq.http");
  std::jthread canceller([&] {
    std::this_thread::sleep_for(50ms);
    cancelled.stop.request_stop();
  });
  CHECK(status(host, cancelled, -1) == PAR_CANCELLED);
}

TEST_CASE("The body's limit is 15 MiB unless the plugin says otherwise") {
  ScriptedServer server(always(std::string((15u << 20) + 1, 'x')));
  ServicesFixture host;
  TestCall call("com.datadoghq.http");
  const std::string url = server.url();
  const auto status = [&](uint64_t limit) {
    auto request = request_for(url);
    request.max_body_bytes = limit;
    par_http_response* response = nullptr;
    REQUIRE(host.http->send(&call.call, &request, &response) == PAR_OK);
    std::vector<uint8_t> piece(1 << 20);
    size_t got = 0;
    par_status read = PAR_OK;
    do {
      read = host.http->read(&call.call, response, piece.data(), piece.size(), &got);
    } while (read == PAR_OK && got != 0);
    CHECK(response->failure == read);
    CHECK(host.http->read(&call.call, response, piece.data(), piece.size(), &got) == read);
    host.http->release(&call.call, response);
    return read;
  };
  CHECK(status(0) == PAR_LIMIT);
  CHECK(status(PAR_HTTP_UNLIMITED) == PAR_OK);
}

TEST_CASE("par.net/1 gives the allowed addresses, or the reason") {
  HttpClientHooks hooks;
  hooks.lookup = [](const std::string& host) -> Result<std::vector<std::string>> {
    if (host == "mixed.test") return std::vector<std::string>{"169.254.169.254", "10.0.0.1", "::1"};
    if (host == "meta.test") return std::vector<std::string>{"169.254.169.254"};
    return fail("host '" + host + "' cannot be resolved: unknown");
  };
  ServicesFixture host(hooks);
  TestCall call("com.datadoghq.postgresql");
  par_addresses* found = nullptr;
  REQUIRE(host.net->resolve(&call.call, str("MIXED.test"), 5432, &found) == PAR_OK);
  REQUIRE(found->count == 2);
  CHECK(text_of(found->addresses[0]) == "10.0.0.1");
  CHECK(text_of(found->addresses[1]) == "::1");
  host.net->release_addresses(&call.call, found);
  host.net->release_addresses(&call.call, found);
  for (const auto& [name, status] :
       {std::pair("meta.test", PAR_POLICY), std::pair("unknown.test", PAR_RESOLVE),
        std::pair("169.254.169.254", PAR_POLICY), std::pair("", PAR_INVALID)}) {
    CHECK(host.net->resolve(&call.call, str(name), 1, &found) == status);
    REQUIRE(found);
    CHECK(found->failure == status);
    CHECK(found->count == 0);
    CHECK(!text_of(found->failure_text).empty());
  }
  CHECK(host.net->resolve(nullptr, str("x"), 1, &found) == PAR_INVALID);
  CHECK(found->failure == PAR_INVALID);
  host.net->release_addresses(&call.call, found);
  CHECK(host.net->resolve(&call.call, str("x"), 1, nullptr) == PAR_INVALID);
  call.stop.request_stop();
  CHECK(host.net->resolve(&call.call, str("mixed.test"), 1, &found) == PAR_CANCELLED);
}

TEST_CASE("par.net/1 gives the trusted roots") {
  ServicesFixture host;
  TestCall call("com.datadoghq.postgresql");
  par_pem* pem = nullptr;
  REQUIRE(host.net->trust_roots(&call.call, &pem) == PAR_OK);
  CHECK(parse_certificates(text_of(pem->pem)).size() > 100);
  host.net->release_pem(&call.call, pem);
  CHECK(host.net->trust_roots(nullptr, &pem) == PAR_INVALID);
}

TEST_CASE("Unknown services are null") {
  ServicesFixture host;
  CHECK(host.services.find("par.http/2") == nullptr);
  CHECK(host.services.find("par.process/1") == nullptr);
}
