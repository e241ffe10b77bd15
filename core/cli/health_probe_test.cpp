#include "core/cli/health_probe.hpp"

#include <string>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/files.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace std::chrono_literals;

namespace {

// Accepts one connection on a free port, reads the request and answers with `answer`; without an answer it
// stays silent until the other side is gone.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) {
    listener_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const FileDescriptor peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      char buffer[1024];
      const ssize_t got = ::recv(peer.get(), buffer, sizeof buffer, 0);
      if (got > 0) request_.assign(buffer, static_cast<size_t>(got));
      if (!answer.empty()) {
        ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      } else {
        ::recv(peer.get(), buffer, sizeof buffer, 0);
      }
    });
  }
  ~OneAnswer() {
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port() const { return port_; }
  const std::string& request() {
    thread_.join();
    return request_;
  }

 private:
  FileDescriptor listener_;
  uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a runner that answers 200 lives") {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
  CHECK(probe_liveness(server.port(), 5'000ms));
  CHECK(server.request().starts_with("GET /liveness HTTP/1.1\r\n"));
}

TEST_CASE("a runner that answers anything else does not live, and its reason is told") {
  OneAnswer server("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n{\"reason\":\"stuck\"}");
  const auto alive = probe_liveness(server.port(), 5'000ms);
  REQUIRE_FALSE(alive);
  CHECK(alive.error().message.find("503 Service Unavailable {\"reason\":\"stuck\"}") != std::string::npos);
}

TEST_CASE("a runner that is not there or stays silent does not live") {
  uint16_t port = 0;
  {
    OneAnswer server("x");
    port = server.port();
    CHECK_FALSE(probe_liveness(port, 5'000ms));
  }
  CHECK_FALSE(probe_liveness(port, 5'000ms));
  OneAnswer silent("");
  const auto alive = probe_liveness(silent.port(), 50ms);
  REQUIRE_FALSE(alive);
  CHECK(alive.error().message.find("no answer in time") != std::string::npos);
}
