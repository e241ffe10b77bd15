#include "core/telemetry/dogstatsd.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/base/files.hpp"

namespace par::core {
namespace {

constexpr std::chrono::seconds k_between_lookups{30};

// A socket that is connected to the first address of the host; none if it has no address.
FileDescriptor connect_udp(const DogStatsdAddress& address, bool numeric_only) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV | (numeric_only ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) != 0)
    return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    FileDescriptor socket(::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket && ::connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return socket;
  }
  return {};
}

FileDescriptor connect_unix(const std::string& path) {
  sockaddr_un name{};
  if (path.size() >= sizeof name.sun_path) return {};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return {};
  return socket;
}

}  // namespace

// Shared with the thread of the look-up, which may hang for longer than anyone wants to wait.
struct DogStatsd::State {
  const DogStatsdAddress address;
  std::mutex mutex;
  FileDescriptor socket;  // guarded by mutex
};

std::string DogStatsdAddress::text() const {
  if (!socket.empty()) return "unix://" + socket;
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("udp://{}{}{}:{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
}

DogStatsd::DogStatsd(DogStatsdAddress address) : state_(new State{std::move(address), {}, {}}) {
  if (!state_->address.socket.empty()) return;  // connected when there is something to send
  state_->socket = connect_udp(state_->address, true);
  if (state_->socket) return;
  try {
    std::thread([state = std::weak_ptr(state_), address = state_->address] {
      for (;;) {
        FileDescriptor socket = connect_udp(address, false);
        const auto alive = state.lock();
        if (!alive) return;
        if (socket) {
          const std::lock_guard lock(alive->mutex);
          alive->socket = std::move(socket);
          return;
        }
        std::this_thread::sleep_for(k_between_lookups);
      }
    }).detach();
  } catch (const std::system_error&) {
    // No thread to be had: then there are no metrics, which is no reason to stop.
  }
}

DogStatsd::~DogStatsd() = default;

void DogStatsd::send(std::string_view datagram) {
  const std::lock_guard lock(state_->mutex);
  const std::string& path = state_->address.socket;
  // The second try: an Agent on UDP that was away is reported by the first call after that, and one on a unix
  // socket that was started again has a new socket.
  for (int tries = 0; tries < 2; ++tries) {
    if (!path.empty() && !state_->socket) state_->socket = connect_unix(path);
    if (!state_->socket) return;
    if (::send(state_->socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
      return;
    if (errno == EAGAIN || errno == EMSGSIZE) return;
    if (!path.empty()) state_->socket.reset();
  }
}

}  // namespace par::core
