#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace par::core {

/// Where DogStatsD datagrams go: to a UDP port, or, if `socket` is set, to a unix socket.
struct DogStatsdAddress {
  std::string host = "127.0.0.1";
  uint16_t port = 8125;
  std::string socket;  ///< path

  /// For logs: "udp://127.0.0.1:8125" or "unix:///path".
  std::string text() const;
};

/// Sends datagrams to an Agent, best effort: nothing waits and nothing is kept, so a datagram that cannot go
/// at once is lost. Thread-safe. An Agent that is started later or again is found by itself.
class DogStatsd {
 public:
  /// A host name is looked up once, on a thread of its own that ends with the look-up; until then datagrams
  /// are dropped.
  explicit DogStatsd(DogStatsdAddress address);
  ~DogStatsd();
  DogStatsd(const DogStatsd&) = delete;
  DogStatsd& operator=(const DogStatsd&) = delete;

  void send(std::string_view datagram);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace par::core
