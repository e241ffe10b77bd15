#pragma once

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/files.hpp"

namespace par::core::testing {

/// A port of 127.0.0.1 whose queue is full, so that the kernel drops further attempts without an answer: like
/// an address that leads nowhere.
class FullListener {
 public:
  FullListener() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 0) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "a listener for a test");
    }
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < 4; ++i) {
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (::connect(waiting_.back().get(), any, size) != 0 && errno != EINPROGRESS) {
        throw std::system_error(errno, std::generic_category(),
                                "a connection that fills the queue of a test");
      }
    }
  }

  uint16_t port() const { return port_; }

 private:
  FileDescriptor listener_;
  uint16_t port_ = 0;
  std::vector<FileDescriptor> waiting_;
};

}  // namespace par::core::testing
