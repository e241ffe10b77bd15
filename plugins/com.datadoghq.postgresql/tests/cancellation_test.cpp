#include "cancellation.hpp"

#include <memory>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/catch.hpp"

using namespace postgresql_plugin;

namespace {

/// Takes connections and says nothing, as a server behind a broken proxy does.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket_, 64) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = std::to_string(ntohs(address.sin_port));
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { ::close(socket_); }

  const std::string& port() const { return port_; }

  /// The next connection; -1 if there is none in time.
  int accept(int milliseconds) const {
    pollfd watched{socket_, POLLIN, 0};
    return ::poll(&watched, 1, milliseconds) == 1 ? ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC) : -1;
  }

 private:
  int socket_;
  std::string port_;
};

}  // namespace

TEST_CASE("a session has one cancel request under way, and another when that has ended") {
  const SilentServer server;
  const char* const names[] = {"host", "port", "user", nullptr};
  const char* const values[] = {"127.0.0.1", server.port().c_str(), "u", nullptr};
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectStartParams(names, values, 0),
                                                                PQfinish);
  REQUIRE(PQsocket(connection.get()) >= 0);
  const int session = server.accept(10'000);
  REQUIRE(session >= 0);

  CancelRequests requests;
  for (int count = 0; count < 5; ++count) requests.send(connection.get());
  const int first = server.accept(10'000);
  REQUIRE(first >= 0);
  CHECK(server.accept(200) < 0);
  requests.send(connection.get());
  CHECK(server.accept(200) < 0);

  ::close(first);  // its thread ends
  int second = -1;
  for (int attempts = 0; attempts < 100 && second < 0; ++attempts) {
    requests.send(connection.get());
    second = server.accept(100);
  }
  REQUIRE(second >= 0);
  // Another session is not held up.
  CancelRequests others;
  others.send(connection.get());
  const int third = server.accept(10'000);
  CHECK(third >= 0);
  for (const int descriptor : {second, third, session}) ::close(descriptor);
}
