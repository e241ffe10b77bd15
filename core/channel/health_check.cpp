#include "core/channel/health_check.hpp"

#include <utility>

#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr std::chrono::minutes k_told_every{10};

}  // namespace

HealthCheck::HealthCheck(ControlApi& api, Timers& timers, const Log& log, Milliseconds interval,
                         std::function<void()> succeeded)
    : api_(api), timers_(timers), log_(log), interval_(interval), succeeded_(std::move(succeeded)) {
  wait(interval_);
}

void HealthCheck::wait(Milliseconds delay) {
  timer_ = timers_.after(delay, [this] { check(); });
}

void HealthCheck::check() {
  api_.health_check([this, alive = std::weak_ptr(alive_)](const Result<ControlAnswer>& answer) {
    if (!alive.expired()) answered(answer);
  });
}

void HealthCheck::answered(const Result<ControlAnswer>& answer) {
  wait(answer ? answer->retry_after.value_or(interval_) : interval_);
  if (!is_success(answer)) {
    const std::string error = describe(answer);
    return log_.warn("health check failed", {{"error", error}});
  }
  const SteadyTime now = timers_.now();
  const bool tell = !last_told_ || now - *last_told_ >= k_told_every;
  if (tell) last_told_ = now;
  log_.write(tell ? LogLevel::info : LogLevel::debug, "health check succeeded",
             {{"server-time", answer->server_time}});
  succeeded_();
}

}  // namespace par::core
