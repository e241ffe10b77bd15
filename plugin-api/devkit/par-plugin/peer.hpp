#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

namespace par::kit {

/// What a peer says to whoever connects, whatever that one says.
struct PeerScript {
  std::string bytes;
  bool stays = false;  ///< then it is silent until the other side goes; else it ends its side
};

/// A process that listens on a loopback address of its own. It ends with this object, or with the group of
/// this process.
class Peer {
 public:
  /// Null if the port cannot be had, as those below 1024 may not.
  static std::unique_ptr<Peer> start(const PeerScript& script, uint16_t port);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const std::string& address() const { return address_; }

 private:
  Peer(pid_t process, std::string address) : process_(process), address_(std::move(address)) {}

  pid_t process_;
  std::string address_;
};

}  // namespace par::kit
