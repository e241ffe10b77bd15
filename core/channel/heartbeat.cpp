#include "core/channel/heartbeat.hpp"

#include <utility>

#include "core/telemetry/log.hpp"

namespace par::core {

Heartbeat::Heartbeat(ControlApi& api, Timers& timers, const Log& log, Milliseconds interval,
                     const TaskAddress& address, std::function<void()> gone)
    : api_(api), timers_(timers), log_(log), interval_(interval), address_(address), gone_(std::move(gone)) {
  wait();
}

void Heartbeat::wait() {
  timer_ = timers_.after(interval_, [this] { beat(); });
}

void Heartbeat::beat() {
  wait();
  api_.heartbeat(
      heartbeat_body(address_), [this, alive = std::weak_ptr(alive_)](const Result<ControlAnswer>& answer) {
        if (alive.expired() || over_ || is_success(answer)) return;
        const std::string error = describe(answer);
        const LogFields fields{{"task_id", address_.task_id},
                               {"action_fqn", address_.action_fqn},
                               {"job_id", address_.job_id},
                               {"error", error}};
        if (!answer || answer->status != 404) return log_.warn("heartbeat failed", fields);
        log_.warn("Datadog no longer knows the job; the action goes on, without heartbeats", fields);
        over_ = true;
        timer_.reset();
        gone_();
      });
}

}  // namespace par::core
