#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/channel/poller.hpp"
#include "core/channel/publisher.hpp"
#include "core/channel/raw_task.hpp"
#include "core/dispatch/pipeline.hpp"
#include "core/dispatch/worker_pool.hpp"

namespace par::core {

class Log;
class Metrics;
class Redactor;

/// Takes tasks as slots allow, has them prepared and run on worker threads, and publishes what comes out:
/// exactly one outcome for each task. A slot is free again when its action has ended; publishing goes on
/// beside it. Lives on the control thread; only the hooks that say so run elsewhere.
class Dispatcher {
 public:
  struct Settings {
    size_t pool_size = 10;
    Milliseconds heartbeat_interval{20'000};
    Pacing::Settings pacing;
    size_t max_waiting_bytes = size_t{64} << 20;  ///< of outcomes that are not yet published
  };
  struct Hooks {
    /// Runs a function on the control thread, later. Called from any thread.
    std::function<void(std::function<void()>)> post;
    /// Brings a task up to its plugin. Called on worker threads; may block.
    std::function<Prepared(RawTask&&)> prepare;
    /// Uniform in [0, 1), for pacing.
    std::function<double()> random;
    /// A call to Datadog succeeded; the next one may have to wait for so long.
    std::function<void(Milliseconds)> control_succeeded;
    /// A dequeue brought a task.
    std::function<void()> task_received;
    /// More calls do not return than a runner should live with (more than the pool's size).
    std::function<void()> too_many_abandoned;
    /// While stopping: nothing is under way any more, and nothing waits to be published.
    std::function<void()> idle;
  };

  Dispatcher(Settings settings, ControlApi& api, Timers& timers, Invoker& invoker, const Log& log,
             const Redactor& redactor, Metrics& metrics, Hooks hooks);
  ~Dispatcher();

  /// There are keys: tasks may come.
  void start();

  /// No new dequeues, waits end, running actions see a drain. Tasks that still arrive are failed.
  void drain();
  /// Ends the dequeues under way.
  void cancel_dequeues() { poller_.cancel_all(); }
  /// Cancels the running actions.
  void cancel_actions(const std::string& reason);
  /// Fails all actions that have not ended.
  void fail_actions();

  bool is_idle() const { return tasks_.empty() && poller_.in_flight() == 0; }
  size_t running() const;
  size_t unpublished() const { return publisher_.waiting(); }
  /// Threads that are inside a job, among them those of calls that do not return.
  size_t busy_threads() const { return workers_.busy(); }

 private:
  struct Task;
  using TaskPtr = std::shared_ptr<Task>;

  bool take_slot();
  void give_back_slot();
  void arrived(Poller::Arrival arrival, std::string body);
  void parsed(const Poller::Arrival& arrival, Result<RawTask> raw);
  void accept(RawTask raw);
  void work(const TaskPtr& task, RawTask raw);                      // worker thread
  void ended(const TaskPtr& task, Outcome outcome, bool given_up);  // any thread
  void settle(const TaskPtr& task, Outcome outcome, bool given_up = false);
  void count_execution(Task& task, bool success);
  void drop_duplicate(const TaskPtr& task);
  void published(const TaskPtr& task);
  void watch_idle();
  void trim_when_quiet();

  Settings settings_;
  ControlApi& api_;
  Timers& timers_;
  Invoker& invoker_;
  const Log& log_;
  const Redactor& redactor_;
  Metrics& metrics_;
  Hooks hooks_;
  size_t free_slots_;
  size_t abandoned_ = 0;
  bool draining_ = false;
  bool moved_much_ = false;  // memory is worth giving back
  Timers::Timer trim_timer_;
  std::map<const Task*, TaskPtr> tasks_;
  Publisher publisher_;
  Poller poller_;
  WorkerPool workers_;  // last: its threads end before what they use goes
};

}  // namespace par::core
