#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string_view>

#include "core/services/connection.hpp"

namespace par::core {

/// Idle connections that can be used again. Thread-safe.
class ConnectionPool {
 public:
  static constexpr size_t k_max_idle = 128;
  static constexpr std::chrono::seconds k_max_idle_time{60};

  /// The most recently used connection of that key that is still open, or null.
  std::unique_ptr<Connection> take(std::string_view key);
  /// Keeps a connection, and closes the one that was idle for longest if there are too many.
  void put(std::unique_ptr<Connection> connection);
  /// Closes what was idle for too long. True if connections are left.
  bool sweep(SteadyTime now);

 private:
  std::mutex mutex_;
  std::list<std::unique_ptr<Connection>> idle_;  ///< most recently used first
};

}  // namespace par::core
