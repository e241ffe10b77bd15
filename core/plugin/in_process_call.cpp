#include "core/plugin/in_process_call.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "core/base/json.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr const char* k_effect_unknown = "; whether it took effect is unknown";
constexpr const char* k_stopping = "the runner is stopping; the task was not started";

par_str borrow(std::string_view text) {
  return {text.data(), text.size()};
}

std::string seconds(Milliseconds time) {
  return json::number(static_cast<double>(time.count()) / 1000) + " s";
}

std::string out_of_time(Milliseconds limit) {
  return fmt::format("time limit of {} exceeded", seconds(limit));
}

}  // namespace

InProcessCall::InProcessCall(std::shared_ptr<PluginContext> context, std::shared_ptr<HostedPlugin> plugin,
                             std::string problem, Invocation invocation, Invoker::Done done)
    : context_(std::move(context)),
      plugin_(std::move(plugin)),
      problem_(std::move(problem)),
      done_(std::move(done)),
      invocation_(std::move(invocation)) {}

void InProcessCall::run() {
  const auto self = shared_from_this();  // the call outlives whatever its owner does meanwhile
  if (plugin_ == nullptr) return not_started(problem_);
  if (const auto entered = plugin_->enter(interrupted_); !entered)
    return not_started(entered.error().message);
  const std::shared_ptr<PluginCall> call = begin();
  if (call == nullptr) {
    plugin_->leave(false);
    return not_started(k_stopping);
  }
  std::string exception;
  const par_status status = execute(*call, exception);
  end(*call, status, exception);
}

void InProcessCall::not_started(const std::string& problem) {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::ended;
    text = cause_ ? *cause_ + "; the task was not started" : draining_ ? k_stopping : problem;
    invocation_ = {};
  }
  std::exchange(done_, nullptr)(Failure{ErrorCode::internal_error, std::move(text), {}}, false);
}

std::shared_ptr<PluginCall> InProcessCall::begin() {
  const std::lock_guard lock(mutex_);
  if (interrupted_) return nullptr;
  std::optional<SteadyTime> deadline;
  if (invocation_.time_limit) deadline = std::chrono::steady_clock::now() + *invocation_.time_limit;
  call_ = std::make_shared<PluginCall>(CallSubject{invocation_.plugin_namespace, invocation_.action,
                                                   invocation_.task_id, invocation_.sec_datadog_header},
                                       deadline, &invocation_.frame, invocation_.max_result_bytes,
                                       context_->log, context_->redactor);
  phase_ = Phase::inside;
  if (deadline) {
    deadline_timer_ = context_->watchdog.at(
        *deadline,
        [self = shared_from_this(), limit = *invocation_.time_limit] { self->cut_off(out_of_time(limit)); });
  }
  return call_;
}

// Reads invocation_ without the lock: nobody writes to it while the phase is inside or abandoned.
par_status InProcessCall::execute(PluginCall& call, std::string& exception) {
  par_request request{};
  request.struct_size = sizeof request;
  request.task_id = borrow(invocation_.task_id);
  request.action = borrow(invocation_.action);
  request.inputs_json = borrow(invocation_.inputs_json);
  request.connection_json = borrow(invocation_.connection_json.reveal());
  try {
    return plugin_->execute(request, *call.abi());
  } catch (const std::exception& error) {
    exception = "the plugin threw an exception: " + presentable(context_->redactor, error.what());
  } catch (...) {
    exception = "the plugin threw an exception";
  }
  call.misbehaviour(exception);
  return PAR_INTERNAL;
}

void InProcessCall::end(PluginCall& call, par_status status, const std::string& exception) {
  Outcome outcome = conclude(call, status, exception);
  Invocation used;  // destroyed outside the lock: it may be large, and it holds others' objects
  bool late = false;
  {
    const std::lock_guard lock(mutex_);
    late = phase_ == Phase::abandoned;
    phase_ = Phase::ended;
    if (deadline_timer_) context_->watchdog.forget(*deadline_timer_);
    if (grace_timer_) context_->watchdog.forget(*grace_timer_);
    call_.reset();
    used = std::move(invocation_);
    invocation_ = {};
  }
  if (late) {
    --context_->abandoned;
    const auto after =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - abandoned_at_);
    context_->log.warn("a call that was given up has returned", {{"plugin", used.plugin_namespace},
                                                                 {"action", used.action},
                                                                 {"task_id", used.task_id},
                                                                 {"late_ms", after.count()}});
  }
  plugin_->leave(late);
  used = {};
  if (!late) std::exchange(done_, nullptr)(std::move(outcome), false);
}

Outcome InProcessCall::conclude(PluginCall& call, par_status status, const std::string& exception) {
  PluginCall::Report report = call.finish();
  std::string message = std::move(report.message);
  if (status == PAR_OK && report.body) return Success{std::move(*report.body)};

  ErrorCode code = ErrorCode::action_error;
  if (status == PAR_OK) {
    call.misbehaviour("execute reported success without an accepted result");
    code = ErrorCode::internal_error;
    message = "the plugin reported success without a result" + (message.empty() ? "" : ": " + message);
    report.display.clear();
  } else if (status == PAR_INTERNAL || status < PAR_OK || status > PAR_SPAWN) {
    code = ErrorCode::internal_error;
    if (message.empty()) message = exception;
    if (message.empty()) message = fmt::format("the plugin reported a defect of its own (status {})", status);
  }
  {
    const std::lock_guard lock(mutex_);
    // A service that ends at the deadline can bring the plugin back before the watchdog has woken up.
    if (!cause_ && call.deadline_passed()) cause_ = out_of_time(*invocation_.time_limit);
    if (cause_) return cut_off_failure(message, report.display);
  }
  if (message.empty() && report.display.empty()) {
    call.misbehaviour("execute failed without calling error()");
    message = fmt::format("the plugin gave no reason (status {})", status);
  }
  if (message.empty()) std::swap(message, report.display);
  return Failure{code, std::move(message), std::move(report.display)};
}

/// The failure of a call that was cut off but came back in time, with its own texts. Called with the lock
/// held.
Failure InProcessCall::cut_off_failure(std::string_view message, std::string_view display) const {
  const auto compose = [&](std::string_view text) {
    return *cause_ + (text.empty() ? "" : ": ") + std::string(text) +
           (invocation_.writes ? k_effect_unknown : "");
  };
  return {ErrorCode::internal_error, compose(message), display.empty() ? std::string() : compose(display)};
}

void InProcessCall::drain() {
  std::shared_ptr<PluginCall> call;
  {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return;
    draining_ = true;
    call = call_;
    if (phase_ == Phase::waiting) interrupted_ = true;
  }
  if (call != nullptr) {
    call->drain();
  } else if (plugin_ != nullptr) {
    plugin_->wake();
  }
}

void InProcessCall::cancel(std::string reason) {
  cut_off(std::move(reason));
}

void InProcessCall::cut_off(std::string cause) {
  std::shared_ptr<PluginCall> call;
  {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended || phase_ == Phase::abandoned || cause_) return;
    cause_ = std::move(cause);
    interrupted_ = true;
    call = call_;
    if (phase_ == Phase::inside) {
      grace_timer_ = context_->watchdog.at(std::chrono::steady_clock::now() + context_->limits.grace,
                                           [self = shared_from_this()] { self->give_up(); });
    }
  }
  if (call != nullptr) {
    call->cancel();
  } else if (plugin_ != nullptr) {
    plugin_->wake();
  }
}

void InProcessCall::give_up() {
  Failure failure;
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::inside) return;
    phase_ = Phase::abandoned;
    abandoned_at_ = std::chrono::steady_clock::now();
    plugin_->add_abandoned();
    ++context_->abandoned;
    failure = cut_off_failure(
        fmt::format("the plugin did not return within {} and was given up", seconds(context_->limits.grace)),
        "");
    context_->log.error("a call does not return and is given up; its thread is lost until it does",
                        {{"plugin", invocation_.plugin_namespace},
                         {"action", invocation_.action},
                         {"task_id", invocation_.task_id},
                         {"abandoned", context_->abandoned.load()}});
  }
  std::exchange(done_, nullptr)(std::move(failure), true);
}

}  // namespace par::core
