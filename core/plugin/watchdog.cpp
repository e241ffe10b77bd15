#include "core/plugin/watchdog.hpp"

namespace par::core {

Watchdog::Timer Watchdog::at(SteadyTime when, std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  const Timer timer{when, ++last_};
  if (stopped_) return timer;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  const auto added = timers_.emplace(timer, std::move(action)).first;
  if (added == timers_.begin()) changed_.notify_one();
  return timer;
}

void Watchdog::forget(const Timer& timer) {
  std::function<void()> forgotten;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return;
  forgotten = std::move(found->second);
  timers_.erase(found);
}

void Watchdog::stop() {
  std::map<Timer, std::function<void()>> left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(timers_);
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (timers_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = timers_.begin();
    if (const SteadyTime when = first->first.first; std::chrono::steady_clock::now() < when) {
      changed_.wait_until(lock, when);
      continue;
    }
    auto action = std::move(first->second);
    timers_.erase(first);
    lock.unlock();
    action();
    action = nullptr;
    lock.lock();
  }
}

}  // namespace par::core
