#include "core/dispatch/dispatcher.hpp"

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/channel/heartbeat.hpp"
#include "core/dispatch/memory.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/metrics.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core {
namespace {

// Larger answers are parsed on a worker thread, so that they do not hold up heartbeats; for smaller ones the
// way there and back would cost more than the parsing.
constexpr size_t k_parse_at_once = 64u << 10;
constexpr size_t k_much = 1u << 20;
constexpr Milliseconds k_quiet_before_trim{1'000};

constexpr const char* k_not_started =
    "The runner was stopping when this task arrived, so the action was not started. Run it again.";
constexpr const char* k_cut_off =
    "The runner stopped before the action ended. Whether it took effect is unknown: check before you run it "
    "again.";

// Empty for one that is not known.
std::string_view client_name(int64_t client) {
  switch (client) {
    case 0:
      return "UNSPECIFIED";
    case 1:
      return "WORKFLOWS";
    case 2:
      return "APP_BUILDER";
    case 4:
      return "WORKFLOWS_SINGLE_ACTION_RUNNER";
    default:
      return {};
  }
}

}  // namespace

// One task from the answer that brought it until its outcome is published.
struct Dispatcher::Task {
  LogFields log_fields() const {
    return {{"task_id", address.task_id},
            {"action_fqn", address.action_fqn},
            {"job_id", address.job_id},
            {"action_client", client}};
  }

  // For metrics, whose labels must be few.
  Metrics::Execution execution() const {
    return {address.action_fqn, client_name.empty() ? std::string_view("OTHER") : client_name};
  }

  TaskAddress address;  // never changes
  std::string client;
  std::string_view client_name;  // empty: not one of those that are known

  // Control thread only.
  SteadyTime began;
  bool settled = false;
  bool job_gone = false;
  std::unique_ptr<Heartbeat> heartbeat;
  Publisher::Item* item = nullptr;

  // Shared with the worker thread.
  std::mutex mutex;
  std::shared_ptr<Invoker::Call> call;
  std::optional<SteadyTime> started;  // the action was called
  bool drain = false;
  bool cancelled = false;
};

Dispatcher::Dispatcher(Settings settings, ControlApi& api, Timers& timers, Invoker& invoker, const Log& log,
                       const Redactor& redactor, Metrics& metrics, Hooks hooks)
    : settings_(settings),
      api_(api),
      timers_(timers),
      invoker_(invoker),
      log_(log),
      redactor_(redactor),
      metrics_(metrics),
      hooks_(std::move(hooks)),
      free_slots_(settings.pool_size),
      publisher_(api, timers, log, {2 * settings.pool_size, settings.max_waiting_bytes}),
      poller_(api, timers, log, Pacing(settings.pacing, hooks_.random),
              {[this] { return take_slot(); }, [this] { give_back_slot(); },
               [this](Poller::Arrival arrival, std::string body) { arrived(arrival, std::move(body)); },
               [this] { hooks_.control_succeeded(poller_.current_wait()); }}),
      workers_(settings.pool_size) {}

Dispatcher::~Dispatcher() {
  // Posted work that will never run keeps tasks alive, but must not keep timers beyond the event loop.
  for (const auto& [key, task] : tasks_) task->heartbeat.reset();
}

void Dispatcher::start() {
  poller_.wake();
}

bool Dispatcher::take_slot() {
  if (free_slots_ == 0 || !publisher_.reserve()) return false;
  --free_slots_;
  return true;
}

void Dispatcher::give_back_slot() {
  ++free_slots_;
  publisher_.release();
  watch_idle();
}

void Dispatcher::arrived(Poller::Arrival arrival, std::string body) {
  if (body.size() <= k_parse_at_once) return parsed(arrival, parse_dequeue_answer(std::move(body)));
  moved_much_ = moved_much_ || body.size() > k_much;
  auto shared = std::make_shared<std::string>(std::move(body));
  const bool submitted = workers_.submit([this, arrival, shared] {
    auto raw = std::make_shared<Result<RawTask>>(parse_dequeue_answer(std::move(*shared)));
    hooks_.post([this, arrival, raw] { parsed(arrival, std::move(*raw)); });
  });
  if (!submitted) parsed(arrival, parse_dequeue_answer(std::move(*shared)));
}

void Dispatcher::parsed(const Poller::Arrival& arrival, Result<RawTask> raw) {
  if (!raw) return poller_.was_garbage(arrival, raw.error().message);
  hooks_.task_received();
  accept(std::move(*raw));
  poller_.was_task(arrival);
}

void Dispatcher::accept(RawTask raw) {
  const auto task = std::make_shared<Task>();
  task->address = raw.address;
  task->client_name = client_name(raw.address.client);
  task->client =
      task->client_name.empty() ? std::to_string(raw.address.client) : std::string(task->client_name);
  task->began = timers_.now();
  if (!raw.has_attributes || raw.address.job_id.empty()) {
    log_.error(raw.has_attributes ? "a task without a job id was dropped: its result could not be published"
                                  : "a task without attributes was dropped: there is nothing to run",
               task->log_fields());
    return give_back_slot();
  }
  tasks_.emplace(task.get(), task);
  task->heartbeat = std::make_unique<Heartbeat>(api_, timers_, log_, settings_.heartbeat_interval,
                                                task->address, [this, task = task.get()] {
                                                  task->job_gone = true;
                                                  if (task->item != nullptr)
                                                    publisher_.job_is_gone(*task->item);
                                                });
  if (draining_) return settle(task, Failure{ErrorCode::internal_error, k_not_started, {}});
  // std::function wants to copy what it holds.
  auto shared = std::make_shared<RawTask>(std::move(raw));
  if (!workers_.submit([this, task, shared] { work(task, std::move(*shared)); })) {
    settle(
        task,
        Failure{ErrorCode::internal_error, "The system gives the runner no thread to run the action.", {}});
  }
}

void Dispatcher::work(const TaskPtr& task, RawTask raw) {
  Prepared prepared;
  try {
    prepared = hooks_.prepare(std::move(raw));
  } catch (const std::exception& error) {
    prepared =
        Failure{ErrorCode::internal_error, fmt::format("internal error of the runner: {}", error.what()), {}};
  }
  if (std::holds_alternative<Duplicate>(prepared)) {
    return hooks_.post([this, task] { drop_duplicate(task); });
  }
  if (auto* failure = std::get_if<Failure>(&prepared)) {
    metrics_.task_refused(static_cast<int>(failure->code));
    return ended(task, std::move(*failure), false);
  }

  std::shared_ptr<Invoker::Call> call;
  {
    const std::lock_guard lock(task->mutex);
    if (!task->cancelled) {
      call = invoker_.prepare(
          std::move(std::get<Invocation>(prepared)),
          [this, task](Outcome outcome, bool given_up) { ended(task, std::move(outcome), given_up); });
      task->call = call;
      task->started = std::chrono::steady_clock::now();
      if (task->drain) call->drain();
    }
  }
  if (!call) return ended(task, Failure{ErrorCode::internal_error, k_not_started, {}}, false);
  log_.info("action started", task->log_fields());
  metrics_.execution_started(task->execution());
  call->run();
  const std::lock_guard lock(task->mutex);
  task->call.reset();
}

void Dispatcher::ended(const TaskPtr& task, Outcome outcome, bool given_up) {
  // Here and not later: the secrets of the call are registered until it returns.
  if (auto* failure = std::get_if<Failure>(&outcome)) {
    failure->message = redactor_.redact(failure->message);
    failure->display = redactor_.redact(failure->display);
  }
  auto shared = std::make_shared<Outcome>(std::move(outcome));
  hooks_.post([this, task, shared, given_up] { settle(task, std::move(*shared), given_up); });
}

void Dispatcher::settle(const TaskPtr& task, Outcome outcome, bool given_up) {
  // Each call that does not return keeps its thread, so the pool gets another one for as long.
  if (const size_t abandoned = invoker_.abandoned(); given_up || abandoned != abandoned_) {
    abandoned_ = abandoned;
    workers_.set_limit(settings_.pool_size + abandoned);
    if (abandoned > settings_.pool_size) hooks_.too_many_abandoned();
  }
  if (task->settled) return;  // failed at the end of a drain; what comes later is too late
  task->settled = true;

  count_execution(*task, std::holds_alternative<Success>(outcome));
  LogFields fields = task->log_fields();
  fields.emplace_back("duration_ms",
                      std::chrono::duration_cast<Milliseconds>(timers_.now() - task->began).count());
  if (const auto* failure = std::get_if<Failure>(&outcome)) {
    fields.emplace_back("error_code", static_cast<int>(failure->code));
    fields.emplace_back("error", failure->message);
    log_.warn("action failed", fields);
  } else {
    moved_much_ = moved_much_ || std::get<Success>(outcome).publish_body.size() > k_much;
    log_.info("action succeeded", fields);
  }
  ++free_slots_;
  task->item = &publisher_.publish(task->address, std::move(outcome), [this, task] { published(task); });
  if (task->job_gone) publisher_.job_is_gone(*task->item);
  poller_.wake();
}

void Dispatcher::count_execution(Task& task, bool success) {
  std::optional<SteadyTime> started;
  {
    const std::lock_guard lock(task.mutex);
    started = task.started;
  }
  if (!started) return;
  metrics_.execution_completed(
      task.execution(), success,
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - *started));
}

void Dispatcher::drop_duplicate(const TaskPtr& task) {
  log_.warn("the same job was handed out again; it is neither run nor published a second time",
            task->log_fields());
  task->settled = true;
  task->heartbeat.reset();
  tasks_.erase(task.get());
  give_back_slot();
  poller_.wake();
}

void Dispatcher::published(const TaskPtr& task) {
  task->heartbeat.reset();
  tasks_.erase(task.get());
  trim_when_quiet();
  watch_idle();
  poller_.wake();
}

void Dispatcher::drain() {
  draining_ = true;
  poller_.stop();
  for (const auto& [key, task] : tasks_) {
    std::shared_ptr<Invoker::Call> call;
    {
      const std::lock_guard lock(task->mutex);
      task->drain = true;
      call = task->call;
    }
    if (call) call->drain();
  }
  publisher_.hurry();
  watch_idle();
}

void Dispatcher::cancel_actions(const std::string& reason) {
  for (const auto& [key, task] : tasks_) {
    std::shared_ptr<Invoker::Call> call;
    {
      const std::lock_guard lock(task->mutex);
      task->cancelled = true;
      call = task->call;
    }
    if (call) call->cancel(reason);
  }
}

void Dispatcher::fail_actions() {
  std::vector<TaskPtr> rest;
  for (const auto& [key, task] : tasks_) {
    if (!task->settled) rest.push_back(task);
  }
  for (const TaskPtr& task : rest) settle(task, Failure{ErrorCode::internal_error, k_cut_off, {}});
}

size_t Dispatcher::running() const {
  size_t count = 0;
  for (const auto& [key, task] : tasks_) count += task->settled ? 0 : 1;
  return count;
}

void Dispatcher::watch_idle() {
  if (draining_ && is_idle()) hooks_.idle();
}

void Dispatcher::trim_when_quiet() {
  if (!moved_much_ || !tasks_.empty()) return;
  moved_much_ = false;
  trim_timer_ = timers_.after(k_quiet_before_trim, [this] {
    if (tasks_.empty()) {
      give_back_memory();
    } else {
      moved_much_ = true;  // at the next quiet moment
    }
  });
}

}  // namespace par::core
