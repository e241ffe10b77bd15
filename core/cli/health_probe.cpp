#include "core/cli/health_probe.hpp"

#include <cerrno>
#include <string>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/base/files.hpp"
#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_answer = 64 << 10;

// Waits until the socket is ready for `events`; false once the deadline has passed.
bool wait_for(int socket, short events, SteadyTime deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= Milliseconds(0)) return false;
    pollfd entry{socket, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Result<std::string> exchange(int socket, std::string_view request, SteadyTime deadline) {
  while (!request.empty()) {
    if (!wait_for(socket, POLLOUT, deadline)) return fail("no answer in time");
    const ssize_t sent = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return fail(errno_text(errno));
    if (sent > 0) request.remove_prefix(static_cast<size_t>(sent));
  }
  std::string answer;
  char buffer[4096];
  for (;;) {
    if (!wait_for(socket, POLLIN, deadline)) return fail("no answer in time");
    const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
    if (got < 0 && errno != EINTR && errno != EAGAIN) return fail(errno_text(errno));
    if (got == 0 || answer.size() > k_max_answer) return answer;
    if (got > 0) answer.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

Result<void> probe_liveness(uint16_t port, Milliseconds limit) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  const std::string url = fmt::format("http://127.0.0.1:{}/liveness", port);
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return fail(errno_text(errno));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int error =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    error = ETIMEDOUT;
    if (wait_for(socket.get(), POLLOUT, deadline)) {
      socklen_t size = sizeof error;
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error != 0) return fail(fmt::format("{}: {}", url, errno_text(error)));

  const auto answer =
      exchange(socket.get(),
               fmt::format("GET /liveness HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", port),
               deadline);
  if (!answer) return fail_in(url, answer);
  const std::string_view text = *answer;
  if (text.starts_with("HTTP/1.1 200 ") || text.starts_with("HTTP/1.0 200 ")) return {};
  const size_t body = text.find("\r\n\r\n");
  return fail(fmt::format(
      "{}: {} {}", url, cut_utf8(text.substr(0, text.find("\r\n")), 200),
      body == std::string_view::npos ? std::string_view() : cut_utf8(text.substr(body + 4), 1000)));
}

}  // namespace par::core
