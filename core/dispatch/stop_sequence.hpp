#pragma once

#include <functional>
#include <string>

#include "core/channel/timers.hpp"

namespace par::core {

class Dispatcher;
class Log;

/// The runner's end, step by step: drain at once; dequeues under way end after 2 s; at the drain timeout
/// running actions are cancelled; 2 s later what has not ended is failed; another 2 s later publishing ends
/// too. As soon as nothing is left to do the rest is skipped. Control thread only.
class StopSequence {
 public:
  /// `leave` is called once, when the process may end; never from inside begin().
  StopSequence(Dispatcher& dispatcher, Timers& timers, const Log& log, Milliseconds drain_timeout,
               std::function<void()> leave);

  /// Begins, unless it has begun.
  void begin();
  bool has_begun() const { return begun_; }
  /// The dispatcher has nothing left to do.
  void idle();

 private:
  void finish();

  Dispatcher& dispatcher_;
  Timers& timers_;
  const Log& log_;
  Milliseconds drain_timeout_;
  std::function<void()> leave_;
  bool begun_ = false;
  bool finished_ = false;
  Timers::Timer dequeue_limit_;
  Timers::Timer next_;
};

}  // namespace par::core
