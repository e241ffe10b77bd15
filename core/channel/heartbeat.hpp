#pragma once

#include <functional>
#include <memory>

#include "core/channel/control_api.hpp"
#include "core/channel/outcome.hpp"
#include "core/channel/timers.hpp"

namespace par::core {

class Log;

/// Tells Datadog that one task is still held: a heartbeat after each interval, the first after one full
/// interval, until this object is destroyed or a heartbeat is answered 404 (the job is gone). Any other
/// failure is logged, and the next one comes at its time whether or not the last was answered. Control thread
/// only.
class Heartbeat {
 public:
  /// `address` must outlive this object. `gone` is called at most once and may destroy this object.
  Heartbeat(ControlApi& api, Timers& timers, const Log& log, Milliseconds interval,
            const TaskAddress& address, std::function<void()> gone);

 private:
  void wait();
  void beat();

  ControlApi& api_;
  Timers& timers_;
  const Log& log_;
  Milliseconds interval_;
  const TaskAddress& address_;
  std::function<void()> gone_;
  bool over_ = false;
  Timers::Timer timer_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace par::core
