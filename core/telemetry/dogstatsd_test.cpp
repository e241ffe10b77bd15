#include "core/telemetry/dogstatsd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

// What an Agent does with datagrams, as far as a sender can tell.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    socklen_t size = sizeof name;
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    port_ = ntohs(name.sin_port);
  }
  explicit Listener(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    ::unlink(path.c_str());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  }

  uint16_t port() const { return port_; }
  /// The next datagram; empty if there is none within `longest_ms`.
  std::string next(int longest_ms = 10'000) const {
    pollfd wait{socket_.get(), POLLIN, 0};
    if (::poll(&wait, 1, longest_ms) != 1) return {};
    char buffer[2048];
    const ssize_t size = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    return size < 0 ? std::string() : std::string(buffer, static_cast<size_t>(size));
  }

 private:
  FileDescriptor socket_;
  uint16_t port_ = 0;
};

std::string temporary_socket() {
  return "/tmp/par-dogstatsd-test-" + std::to_string(::getpid());
}

}  // namespace

TEST_CASE("datagrams arrive at a numeric address as they are") {
  const Listener agent;
  DogStatsd client({"127.0.0.1", agent.port(), {}});
  client.send("a:1|c");
  client.send("b:1|c\nc:2|ms");
  CHECK(agent.next() == "a:1|c");
  CHECK(agent.next() == "b:1|c\nc:2|ms");
}

TEST_CASE("a host name is looked up beside everything else") {
  const Listener agent;
  DogStatsd client({"localhost", agent.port(), {}});
  // What is sent before the look-up has ended is lost.
  std::string got;
  for (int tries = 0; got.empty() && tries < 1000; ++tries) {
    client.send("a:1|c");
    got = agent.next(10);
  }
  CHECK(got == "a:1|c");
}

TEST_CASE("a name that does not exist and a port that nobody listens on only lose datagrams") {
  DogStatsd nowhere({"no-such-host.invalid", 1, {}});
  nowhere.send("a:1|c");
  DogStatsd closed({"127.0.0.1", 1, {}});
  for (int i = 0; i < 3; ++i) closed.send("a:1|c");
}

TEST_CASE("an Agent that comes back on UDP misses nothing that is sent after that") {
  auto agent = std::make_unique<Listener>();
  const uint16_t port = agent->port();
  DogStatsd client({"127.0.0.1", port, {}});
  agent.reset();
  client.send("lost:1|c");
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(port);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  client.send("found:1|c");
  char buffer[64];
  CHECK(::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT) == 9);
}

TEST_CASE("a unix socket may appear late and be made anew") {
  const std::string path = temporary_socket();
  ::unlink(path.c_str());
  DogStatsd client({{}, 0, path});
  client.send("lost:1|c");
  {
    const Listener agent(path);
    client.send("first:1|c");
    CHECK(agent.next() == "first:1|c");
  }
  const Listener again(path);
  client.send("second:1|c");
  CHECK(again.next() == "second:1|c");
  ::unlink(path.c_str());
}

TEST_CASE("addresses have a text for people") {
  CHECK(DogStatsdAddress{}.text() == "udp://127.0.0.1:8125");
  CHECK(DogStatsdAddress{"::1", 1, {}}.text() == "udp://[::1]:1");
  CHECK(DogStatsdAddress{"", 0, "/run/d.sock"}.text() == "unix:///run/d.sock");
}
