#include "core/services/connection_pool.hpp"

#include <algorithm>

namespace par::core {

std::unique_ptr<Connection> ConnectionPool::take(std::string_view key) {
  for (;;) {
    std::unique_ptr<Connection> found;
    {
      const std::lock_guard lock(mutex_);
      const auto at =
          std::find_if(idle_.begin(), idle_.end(), [&](const auto& idle) { return idle->key() == key; });
      if (at == idle_.end()) return nullptr;
      found = std::move(*at);
      idle_.erase(at);
    }
    if (found->is_alive()) return found;
  }
}

void ConnectionPool::put(std::unique_ptr<Connection> connection) {
  connection->idle_since = std::chrono::steady_clock::now();
  std::unique_ptr<Connection> closed;  // outside the lock
  const std::lock_guard lock(mutex_);
  idle_.push_front(std::move(connection));
  if (idle_.size() > k_max_idle) {
    closed = std::move(idle_.back());
    idle_.pop_back();
  }
}

bool ConnectionPool::sweep(SteadyTime now) {
  std::list<std::unique_ptr<Connection>> closed;
  const std::lock_guard lock(mutex_);
  while (!idle_.empty() && now - idle_.back()->idle_since >= k_max_idle_time) {
    closed.splice(closed.end(), idle_, std::prev(idle_.end()));
  }
  return !idle_.empty();
}

}  // namespace par::core
