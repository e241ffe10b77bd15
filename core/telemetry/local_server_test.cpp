#include "core/telemetry/local_server.hpp"

#include <atomic>
#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

struct State {
  std::atomic<bool> live{true};
  std::atomic<bool> ready{false};
};

std::unique_ptr<LocalServer> serve(State& state, uint16_t port = 0) {
  LocalServer::Settings settings;
  settings.port = port;
  settings.liveness = [&state] { return LocalServer::Report{state.live, {}}; };
  settings.readiness = [&state]() -> LocalServer::Report {
    if (state.ready) return {true, {}};
    return {false, {"no signing key yet"}};
  };
  settings.metrics = [] { return std::string("a 1\n"); };
  return LocalServer::start(std::move(settings)).value();
}

FileDescriptor connect_to(uint16_t port, bool ipv6 = false) {
  FileDescriptor socket(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  six.sin6_addr = in6addr_loopback;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* address =
      ipv6 ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  REQUIRE(::connect(socket.get(), address, ipv6 ? sizeof six : sizeof four) == 0);
  return socket;
}

std::string exchange(uint16_t port, const std::string& request_line, bool ipv6 = false) {
  const FileDescriptor socket = connect_to(port, ipv6);
  const std::string request = request_line + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  REQUIRE(::write(socket.get(), request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(socket.get(), buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<size_t>(got));
  }
  return answer;
}

bool contains(const std::string& text, const char* needle) {
  return text.find(needle) != std::string::npos;
}

}  // namespace

TEST_CASE("probes answer with their state and reasons, and connections are not kept") {
  State state;
  const auto server = serve(state);
  for (const char* path : {"GET /liveness", "GET /healthz", "GET /liveness?x=1"}) {
    const std::string answer = exchange(server->port(), path);
    CHECK(contains(answer, "HTTP/1.1 200"));
    CHECK(contains(answer, "{\"status\":\"ok\"}"));
    CHECK(contains(answer, "application/json"));
  }
  const std::string metrics = exchange(server->port(), "GET /metrics");
  CHECK(contains(metrics, "HTTP/1.1 200"));
  CHECK(contains(metrics, "Content-Type: text/plain; version=0.0.4"));
  CHECK(contains(metrics, "\r\n\r\na 1\n"));
  CHECK(contains(exchange(server->port(), "POST /metrics"), "HTTP/1.1 405"));
  const std::string unready = exchange(server->port(), "GET /readiness");
  CHECK(contains(unready, "HTTP/1.1 503"));
  CHECK(contains(unready, "\"reasons\":[\"no signing key yet\"]"));
  state.ready = true;
  CHECK(contains(exchange(server->port(), "GET /readiness"), "HTTP/1.1 200"));
  state.live = false;
  CHECK(contains(exchange(server->port(), "GET /liveness"), "HTTP/1.1 503"));
  CHECK(contains(exchange(server->port(), "HEAD /readiness"), "HTTP/1.1 200"));
}

TEST_CASE("other paths and methods are refused in JSON") {
  State state;
  const auto server = serve(state);
  CHECK(contains(exchange(server->port(), "GET /"), "HTTP/1.1 404"));
  CHECK(contains(exchange(server->port(), "POST /api/v1/app-builder/execute"), "\"errors\""));
  CHECK(contains(exchange(server->port(), "POST /liveness"), "HTTP/1.1 405"));
}

TEST_CASE("the server answers over IPv4 and IPv6") {
  State state;
  const auto server = serve(state);
  CHECK(contains(exchange(server->port(), "GET /liveness"), "200"));
  FileDescriptor probe(::socket(AF_INET6, SOCK_STREAM, 0));
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  if (!probe || ::bind(probe.get(), reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) != 0) {
    WARN("no IPv6 on this machine");
    return;
  }
  CHECK(contains(exchange(server->port(), "GET /liveness", true), "200"));
}

TEST_CASE("fifty silent connections do not keep a probe waiting") {
  State state;
  const auto server = serve(state);
  std::vector<FileDescriptor> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(connect_to(server->port()));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(contains(exchange(server->port(), "GET /liveness"), "200"));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(1500));
}

TEST_CASE("a port in use is an error that says what to do") {
  State state;
  const auto server = serve(state);
  LocalServer::Settings settings;
  settings.port = server->port();
  const auto second = LocalServer::start(std::move(settings));
  REQUIRE_FALSE(second);
  CHECK(contains(second.error().message, "in use"));
  CHECK(contains(second.error().message, "config.yaml"));
}
