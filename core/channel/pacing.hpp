#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"

namespace par::core {

/// When the next dequeue may start: one state for all dequeues of the process. It has no clock and no timer
/// of its own.
///
/// While there is nothing to do one dequeue runs at a time. A task opens the window: then every free slot may
/// ask. The first empty or failed answer closes it again and begins a new generation; what is still in flight
/// from an earlier one may bring tasks, but counts neither as a further error nor as growth.
///
/// Waits: the loop interval after an empty answer; after the n-th failure in a row min_backoff x 2^(n-1), at
/// most max_backoff, and instead of the max_attempts-th of these one wait_before_retry, after which counting
/// starts again. Own waits of 4 s and more vary by 10 % each way, so that many runners do not come back at
/// once. A wait that the server orders (X-Retry-After-Ms) takes the place of all of these and delays every
/// new dequeue, whichever answer brought it.
class Pacing {
 public:
  struct Settings {
    Milliseconds loop_interval{1'000};
    Milliseconds min_backoff{1'000};
    Milliseconds max_backoff{180'000};
    int max_attempts = 20;
    Milliseconds wait_before_retry{300'000};
  };
  /// Uniform in [0, 1).
  using Random = std::function<double()>;
  /// Names the generation of a dequeue; given back with its answer.
  using Ticket = uint64_t;
  using Ordered = std::optional<Milliseconds>;

  Pacing(Settings settings, Random random);

  /// The earliest time at which a dequeue may start, if a slot is free. Nothing while the answer of another
  /// one has to come first.
  std::optional<SteadyTime> next_start() const;

  /// A dequeue starts now; ask next_start() before.
  Ticket started();
  /// An answer that is not understood yet, or a task, orders a wait: it counts at once.
  void ordered_wait(SteadyTime now, Ordered ordered);
  /// The dequeue brought a task.
  void task(Ticket ticket);
  /// The dequeue was answered without a task.
  void empty(Ticket ticket, SteadyTime now, Ordered ordered);
  /// The dequeue failed: no answer, a bad status, or a body that is not a task. False if it does not count,
  /// since it belongs to an earlier generation.
  bool failed(Ticket ticket, SteadyTime now, Ordered ordered);

  /// The wait that began last; zero while the window is open. For logs and readiness.
  Milliseconds current_wait() const { return wait_; }
  /// Failures in a row.
  int failures() const { return failures_; }

 private:
  void close(SteadyTime now, Milliseconds wait, Ordered ordered);
  Milliseconds varied(Milliseconds wait) const;

  Settings settings_;
  Random random_;
  Ticket generation_ = 0;
  bool open_ = false;
  int in_flight_ = 0;  // of this generation
  int failures_ = 0;
  Milliseconds wait_{0};
  SteadyTime own_until_ = SteadyTime::min();
  SteadyTime ordered_until_ = SteadyTime::min();
};

/// Value of an X-Retry-After-Ms header: nothing unless it is a whole number above 0; at most 120 s.
std::optional<Milliseconds> parse_retry_after(std::string_view text);

}  // namespace par::core
