#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/channel/control_api.hpp"
#include "core/channel/timers.hpp"

namespace par::core {

class Log;

/// Tells Datadog at regular intervals that the runner is there. The first check comes after one full
/// interval; at most one is under way; X-Retry-After-Ms takes the place of the next interval. Failures are
/// only logged; success is logged at info level at most once in ten minutes. Control thread only.
class HealthCheck {
 public:
  /// `succeeded` is called after each success.
  HealthCheck(ControlApi& api, Timers& timers, const Log& log, Milliseconds interval,
              std::function<void()> succeeded);

 private:
  void wait(Milliseconds delay);
  void check();
  void answered(const Result<ControlAnswer>& answer);

  ControlApi& api_;
  Timers& timers_;
  const Log& log_;
  Milliseconds interval_;
  std::function<void()> succeeded_;
  std::optional<SteadyTime> last_told_;
  Timers::Timer timer_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace par::core
