// Which requests may share a connection, and which are sent again when one got lost: the rules that need a
// look inside the client. http_answers_test.cpp has those that can be seen from outside.

#include <array>
#include <set>
#include <string>

#include <sys/socket.h>

#include "core/services/blocking_waiter.hpp"
#include "core/services/http_exchange.hpp"
#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

namespace {

struct Inside {
  FileDescriptor null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Redactor redactor;
  Log log{null.get(), LogFormat::json, LogLevel::error, redactor};
  Dialer dialer{TrustStore::load({}).value(), {}, log, nullptr, nullptr};

  std::string key(const HttpRequest& request, const EgressPolicy& policy = EgressPolicy::unrestricted()) {
    const Hop hop{parse_url(request.url).value(), std::string(request.method), {}};
    return dialer.route(request, hop, policy).value().key;
  }
};

// A kept connection whose peer is there and silent, but over which nothing can be sent.
std::unique_ptr<Connection> mute_connection(std::string key, FileDescriptor& peer) {
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
  peer = FileDescriptor(pair[1]);
  ::shutdown(pair[0], SHUT_WR);
  auto connection = std::make_unique<Connection>(std::move(key), "peer");
  connection->socket().fd = FileDescriptor(pair[0]);
  REQUIRE(connection->is_alive());
  return connection;
}

}  // namespace

TEST_CASE("Requests share a connection only if all that makes one is equal") {
  Inside inside;
  const EgressSettings settings;
  HttpRequest request;
  request.url = "https://a.test/";
  std::set<std::string> keys{inside.key(request)};
  size_t different = 1;
  const auto differs = [&](auto change, const EgressPolicy& policy = EgressPolicy::unrestricted()) {
    HttpRequest changed = request;
    change(changed);
    keys.insert(inside.key(changed, policy));
    CHECK(keys.size() == ++different);
  };
  differs([](auto& r) { r.url = "http://a.test/"; });
  differs([](auto& r) { r.url = "http://a.test:443/"; });
  differs([](auto& r) { r.url = "https://b.test/"; });
  differs([](auto& r) { r.url = "https://a.test:444/"; });
  differs([](auto& r) { r.proxy = "http://p.test"; });
  differs([](auto& r) { r.proxy = "http://p.test:81"; });
  differs([](auto& r) { r.proxy = "https://p.test:81"; });
  differs([](auto& r) { r.proxy = "http://q.test"; });
  differs([](auto& r) { r.proxy = "http://u:p@p.test"; });
  differs([](auto& r) { r.proxy = "http://u:q@p.test"; });
  differs([](auto& r) { r.ca_pem = "one"; });
  differs([](auto& r) { r.ca_pem = "two"; });
  differs([](auto& r) { r.client_certificate_pem = "one"; });
  differs([](auto& r) { r.client_key_pem = "one"; });
  differs([](auto& r) { r.server_name = "b.test"; });
  differs([](auto& r) { r.verify_certificate = false; });
  differs([](auto&) {}, EgressPolicy(egress_row("com.datadoghq.http"), settings));
  differs([](auto&) {}, EgressPolicy(egress_row("com.datadoghq.jenkins"), settings));

  const auto same = [&](auto change) {
    HttpRequest changed = request;
    change(changed);
    CHECK(inside.key(changed) == inside.key(request));
  };
  same([](auto& r) { r.url = "HTTPS://u:p@A.test:443/other?q"; });
  same([](auto& r) { r.method = "POST"; });
  same([](auto& r) { r.headers = {{"Authorization", "x"}}; });
  same([](auto& r) { r.server_name = "a.test"; });
}

TEST_CASE("A request of which nothing could be written is sent on another connection, whatever its method") {
  const auto method = GENERATE("GET", "POST", "PUT", "PATCH", "DELETE");
  INFO(method);
  ScriptedServer server(always("ok"));
  Inside inside;
  ConnectionPool pool;
  const std::string url = server.url();
  HttpRequest request;
  request.method = method;
  request.url = url;
  request.has_body = true;
  request.body = {"body"};
  FileDescriptor peer;
  pool.put(mute_connection(inside.key(request), peer));
  HttpExchange exchange(inside.dialer, pool, EgressPolicy::unrestricted());
  BlockingWaiter waiter({});
  auto sending = exchange.send(waiter, request);
  sending.start();
  const auto sent = sending.take();
  INFO(failure_of(sent));
  REQUIRE(sent);
  CHECK(exchange.head().status == 200);
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests()[0].ends_with("\r\n\r\nbody"));
}
