#include "plugin-api/devkit/par-plugin/peer.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/files.hpp"

namespace par::kit {
namespace {

// Other checks run at the same time and their plugins dial the same port.
std::string next_address() {
  static std::atomic<unsigned> count{0};
  const auto process = static_cast<unsigned>(::getpid());
  return fmt::format("127.{}.{}.{}", 64 + process % 128, process / 128 % 256, 1 + count++ % 250);
}

// Only async-signal-safe calls, since the parent has threads. Of its descriptors none may stay open here:
// they would keep connections alive that the plugin has closed.
[[noreturn]] void serve(int listener, std::string_view bytes, bool stays) {
  ::dup2(listener, STDIN_FILENO);
  ::close_range(STDIN_FILENO + 1, ~0u, 0);
  std::array<char, 4096> ignored{};
  for (;;) {
    const int connection = ::accept(STDIN_FILENO, nullptr, nullptr);
    if (connection < 0) ::_exit(1);
    for (std::string_view rest = bytes; !rest.empty();) {
      const ssize_t sent = ::send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      rest.remove_prefix(static_cast<size_t>(sent));
    }
    if (!stays) ::shutdown(connection, SHUT_WR);
    // Closing with something unread would reset the connection, and what was sent would be lost.
    while (::recv(connection, ignored.data(), ignored.size(), 0) > 0) {
    }
    ::close(connection);
  }
}

}  // namespace

std::unique_ptr<Peer> Peer::start(const PeerScript& script, uint16_t port) {
  std::string address = next_address();
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  const core::FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 ||
      ::listen(listener.get(), 16) != 0) {
    return nullptr;
  }
  const pid_t process = ::fork();
  if (process == 0) serve(listener.get(), script.bytes, script.stays);
  if (process < 0) return nullptr;
  return std::unique_ptr<Peer>(new Peer(process, std::move(address)));
}

Peer::~Peer() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

}  // namespace par::kit
