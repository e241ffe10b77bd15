#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "core/channel/control_api.hpp"
#include "core/channel/outcome.hpp"
#include "core/channel/timers.hpp"

namespace par::core {

class Log;

/// Publishes outcomes, each until Datadog has taken it. Control thread only.
///
/// 2xx: taken. No answer, 401, 403, 408, 425, 429 and 5xx: tried again after 1 s, doubling to 30 s, for as
/// long as the process lives. 413: the outcome is replaced by a failure with code 2 that says so. Any other
/// status is final. Once the job is known to be gone one last attempt is made.
///
/// What may wait here is bounded: a place and a share of the bytes are reserved before a task is asked for,
/// so that a finished outcome never has to be dropped. The bound of bytes can be passed only by results
/// larger than their share that were already running.
class Publisher {
 public:
  struct Bounds {
    size_t outcomes = 20;             ///< reserved and waiting together
    size_t bytes = size_t{64} << 20;  ///< of reserved shares and waiting bodies together
  };

  Publisher(ControlApi& api, Timers& timers, const Log& log, Bounds bounds);
  ~Publisher();

  /// Reserves a place for the outcome of a task that is about to be asked for; false at the bound.
  bool reserve();
  /// Gives a reserved place back unused.
  void release();

  /// One outcome on its way.
  class Item;
  /// Publishes `outcome` in a reserved place. `finished` is called once, never from inside this function,
  /// when the outcome has been taken or given up. The item may be used until then.
  Item& publish(TaskAddress address, Outcome outcome, std::function<void()> finished);
  /// The job is gone at Datadog (a heartbeat was answered 404): one last attempt, at once if none is under
  /// way.
  void job_is_gone(Item& item);

  /// The runner stops: whatever waits for its next attempt makes it now.
  void hurry();

  size_t waiting() const { return items_.size(); }
  size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  void attempt(Item& item);
  void answered(Item& item, const Result<ControlAnswer>& answer);
  void finish(Item& item);
  void set_body(Item& item, std::string body);

  ControlApi& api_;
  Timers& timers_;
  const Log& log_;
  Bounds bounds_;
  size_t reserved_ = 0;
  size_t waiting_bytes_ = 0;
  std::list<Item> items_;
  std::shared_ptr<int> alive_ =
      std::make_shared<int>();  // answers that come after the publisher find it gone
};

}  // namespace par::core
