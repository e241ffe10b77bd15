#include "core/dispatch/stop_sequence.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/dispatch/dispatcher.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr Milliseconds k_dequeues_end_after{2'000};
constexpr Milliseconds k_cancel_grace{2'000};
constexpr Milliseconds k_publish_grace{2'000};

}  // namespace

StopSequence::StopSequence(Dispatcher& dispatcher, Timers& timers, const Log& log, Milliseconds drain_timeout,
                           std::function<void()> leave)
    : dispatcher_(dispatcher),
      timers_(timers),
      log_(log),
      drain_timeout_(drain_timeout),
      leave_(std::move(leave)) {}

void StopSequence::begin() {
  if (begun_) return;
  begun_ = true;
  dequeue_limit_ = timers_.after(k_dequeues_end_after, [this] { dispatcher_.cancel_dequeues(); });
  next_ = timers_.after(drain_timeout_, [this] {
    const std::string limit = fmt::format("{} s", std::chrono::duration<double>(drain_timeout_).count());
    log_.warn("the drain time is over; running actions are cancelled",
              {{"running", dispatcher_.running()}, {"drain_timeout", limit}});
    next_ = timers_.after(k_cancel_grace, [this] {
      dispatcher_.fail_actions();
      next_ = timers_.after(k_publish_grace, [this] {
        if (const size_t lost = dispatcher_.unpublished(); lost > 0) {
          log_.error("the runner leaves with outcomes that could not be published", {{"outcomes", lost}});
        }
        finish();
      });
    });
    dispatcher_.cancel_actions("the runner was stopping and the action did not end within " + limit);
  });
  dispatcher_.drain();
}

void StopSequence::idle() {
  if (begun_) finish();
}

void StopSequence::finish() {
  if (std::exchange(finished_, true)) return;
  dequeue_limit_.reset();
  // Not from here: the caller may be in the middle of what leave() takes down.
  next_ = timers_.after(Milliseconds(0), [this] { leave_(); });
}

}  // namespace par::core
