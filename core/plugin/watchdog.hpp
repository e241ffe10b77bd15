#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/time.hpp"

namespace par::core {

/// Runs functions at given times on one thread, which begins with the first of them and otherwise sleeps.
/// Thread-safe.
class Watchdog {
 public:
  using Timer = std::pair<SteadyTime, uint64_t>;

  Watchdog() = default;
  ~Watchdog() { stop(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// `action` must own what it touches: it may still begin while forget() returns. It must not block or
  /// throw. After stop() it never runs.
  Timer at(SteadyTime when, std::function<void()> action);
  void forget(const Timer& timer);
  /// Ends the thread, after the action that runs; what is left never runs. Not to be called from an action.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Timer, std::function<void()>> timers_;
  uint64_t last_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace par::core
