#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "core/channel/control_api.hpp"
#include "core/channel/pacing.hpp"
#include "core/channel/timers.hpp"

namespace par::core {

class Log;

/// Keeps as many dequeues under way as pacing, slots and the publisher's bounds allow. Control thread only.
class Poller {
 public:
  /// A body that has to be read before pacing can go on.
  struct Arrival {
    Pacing::Ticket ticket = 0;
    Pacing::Ordered ordered;
  };
  struct Hooks {
    /// Takes all that a task needs (slot, place for its outcome); false if there is none. Every dequeue
    /// starts with this and ends with give_back() or arrived().
    std::function<bool()> take_slot;
    std::function<void()> give_back;
    /// A dequeue was answered with a body. What it is must be told by a call of was_task() or was_garbage().
    std::function<void(Arrival, std::string body)> arrived;
    /// A dequeue was answered with 200: Datadog can be reached and accepts this runner.
    std::function<void()> succeeded;
  };
  Poller(ControlApi& api, Timers& timers, const Log& log, Pacing pacing, Hooks hooks);

  /// Starts what may start now. To be called when a slot or a place became free, and once to begin.
  void wake();
  /// Ends all waits: no new dequeue starts. Those under way go on and are still answered.
  void stop();
  /// Ends the dequeues under way.
  void cancel_all();
  size_t in_flight() const { return in_flight_.size(); }

  void was_task(const Arrival& arrival);
  void was_garbage(const Arrival& arrival, const std::string& problem);

  /// The wait that was ordered or chosen last: a runner that obeys it is not stuck.
  Milliseconds current_wait() const { return pacing_.current_wait(); }

 private:
  struct Dequeue {
    Pacing::Ticket ticket = 0;
    ControlApi::Cancel cancel;
  };
  void start();
  void answered(std::list<Dequeue>::iterator dequeue, Result<ControlAnswer> answer);
  void failed(Pacing::Ticket ticket, const std::string& error, Pacing::Ordered ordered);

  ControlApi& api_;
  Timers& timers_;
  const Log& log_;
  Pacing pacing_;
  Hooks hooks_;
  bool stopped_ = false;
  std::list<Dequeue> in_flight_;
  Timers::Timer timer_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace par::core
