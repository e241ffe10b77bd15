#include "core/channel/poller.hpp"

#include <utility>

#include "core/telemetry/log.hpp"

namespace par::core {

Poller::Poller(ControlApi& api, Timers& timers, const Log& log, Pacing pacing, Hooks hooks)
    : api_(api), timers_(timers), log_(log), pacing_(std::move(pacing)), hooks_(std::move(hooks)) {}

void Poller::wake() {
  while (!stopped_) {
    const auto start_at = pacing_.next_start();
    if (!start_at) return;
    const SteadyTime now = timers_.now();
    if (*start_at > now) {
      const auto delay = std::chrono::ceil<Milliseconds>(*start_at - now);
      timer_ = timers_.after(delay, [this] { wake(); });
      return;
    }
    timer_.reset();
    if (!hooks_.take_slot()) return;
    start();
  }
}

void Poller::start() {
  const auto dequeue = in_flight_.insert(in_flight_.end(), {pacing_.started(), {}});
  dequeue->cancel =
      api_.dequeue([this, dequeue, alive = std::weak_ptr(alive_)](Result<ControlAnswer> answer) {
        if (!alive.expired()) answered(dequeue, std::move(answer));
      });
}

void Poller::stop() {
  stopped_ = true;
  timer_.reset();
}

void Poller::cancel_all() {
  for (const Dequeue& dequeue : in_flight_) {
    if (dequeue.cancel) dequeue.cancel();
  }
}

void Poller::answered(std::list<Dequeue>::iterator dequeue, Result<ControlAnswer> answer) {
  const Pacing::Ticket ticket = dequeue->ticket;
  in_flight_.erase(dequeue);
  const Pacing::Ordered ordered = answer ? answer->retry_after : std::nullopt;
  if (!answer || answer->status != 200) {
    failed(ticket, describe(answer), ordered);
    hooks_.give_back();
  } else {
    hooks_.succeeded();
    if (answer->body.empty()) {
      pacing_.empty(ticket, timers_.now(), ordered);
      hooks_.give_back();
    } else {
      pacing_.ordered_wait(timers_.now(), ordered);
      hooks_.arrived({ticket, ordered}, std::move(answer->body));
    }
  }
  wake();
}

void Poller::was_task(const Arrival& arrival) {
  pacing_.task(arrival.ticket);
  wake();
}

void Poller::was_garbage(const Arrival& arrival, const std::string& problem) {
  failed(arrival.ticket, "status 200 with a body that is not a task: " + problem, arrival.ordered);
  hooks_.give_back();
  wake();
}

void Poller::failed(Pacing::Ticket ticket, const std::string& error, Pacing::Ordered ordered) {
  const bool counted = pacing_.failed(ticket, timers_.now(), ordered);
  if (stopped_) return;
  // When many dequeues fail at once, one line is enough.
  log_.write(counted ? LogLevel::warn : LogLevel::debug, "dequeue failed",
             {{"error", error},
              {"failures_in_a_row", pacing_.failures()},
              {"wait_ms", pacing_.current_wait().count()}});
}

}  // namespace par::core
