#pragma once

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "core/plugin/catalog.hpp"
#include "core/plugin/in_process_invoker.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core::testing {

/// An object that lives as long as the program, since a library that hangs may come back to it.
template <typename T, typename... Arguments>
T& immortal(Arguments&&... arguments) {
  static auto& objects = *new std::deque<T>;
  return objects.emplace_back(std::forward<Arguments>(arguments)...);
}

/// What was told of one call.
struct Reply {
  Outcome outcome;
  bool given_up = false;

  /// The body of a success with its frame, or "code: message" with " | display" if that differs.
  std::string text() const {
    if (const auto* success = std::get_if<Success>(&outcome)) return success->publish_body;
    const auto& failure = std::get<Failure>(outcome);
    const std::string display = failure.display.empty() ? "" : " | " + failure.display;
    return std::to_string(static_cast<int>(failure.code)) + ": " + failure.message + display;
  }
};

/// One call on a thread of its own, which is left behind if the plugin never returns.
class Running {
 public:
  Running(Invoker& invoker, Invocation invocation) {
    auto promise = std::make_shared<std::promise<Reply>>();
    auto returned = std::make_shared<std::promise<void>>();
    reply_ = promise->get_future();
    returned_ = returned->get_future();
    call_ = invoker.prepare(std::move(invocation), [promise](Outcome outcome, bool given_up) {
      promise->set_value({std::move(outcome), given_up});  // a second time throws
    });
    std::thread([call = call_, returned] {
      call->run();
      returned->set_value();
    }).detach();
  }

  Invoker::Call& call() { return *call_; }
  Reply reply() { return reply_.get(); }
  std::string text() { return reply().text(); }
  bool has_reply_within(Milliseconds time) { return reply_.wait_for(time) == std::future_status::ready; }
  /// Waits until run() has returned.
  void wait_until_returned() { returned_.get(); }

 private:
  std::shared_ptr<Invoker::Call> call_;
  std::future<Reply> reply_;
  std::future<void> returned_;
};

/// An invoker over the test plugins of one variant.
class Host {
 public:
  static constexpr Milliseconds k_short{50};
  static constexpr Milliseconds k_long{60'000};

  /// By default nothing is given up within the life of a test.
  static InvokerLimits patient() { return {k_long, k_long, Milliseconds(0), 10}; }
  static InvokerLimits hasty() { return {k_short, k_short, Milliseconds(0), 10}; }

  explicit Host(const std::string& variant, InvokerLimits limits = patient(),
                std::map<std::string, std::string> settings = {})
      : catalog_(immortal<Catalog>(Catalog::scan({std::string(PAR_TEST_PLUGINS "/") + variant}))),
        settings_(std::move(settings)),
        log_fd_(::memfd_create("log", MFD_CLOEXEC)),
        redactor_(immortal<Redactor>()),
        log_(immortal<Log>(log_fd_, LogFormat::json, LogLevel::debug, redactor_)),
        invoker_(std::make_unique<InProcessInvoker>(
            catalog_, settings_, [](std::string_view) -> const void* { return "service"; }, log_, redactor_,
            limits)) {}

  static Invocation invocation(std::string plugin_namespace, std::string action) {
    Invocation invocation;
    invocation.plugin_namespace = std::move(plugin_namespace);
    invocation.action = std::move(action);
    invocation.task_id = "task-1";
    invocation.inputs_json = "{}";
    invocation.connection_json = Secret("{}");
    invocation.frame = {"<", ">"};
    return invocation;
  }

  Running start(Invocation invocation) { return {*invoker_, std::move(invocation)}; }
  Running start(std::string plugin_namespace, std::string action) {
    return start(invocation(std::move(plugin_namespace), std::move(action)));
  }
  std::string run(std::string plugin_namespace, std::string action) {
    return start(std::move(plugin_namespace), std::move(action)).text();
  }

  InProcessInvoker& invoker() { return *invoker_; }
  void destroy_invoker() { invoker_.reset(); }
  const Catalog& catalog() const { return catalog_; }

  std::string log() const {
    std::string text(static_cast<size_t>(::lseek(log_fd_, 0, SEEK_END)), '\0');
    return ::pread(log_fd_, text.data(), text.size(), 0) < 0 ? "" : text;
  }
  bool logged(std::string_view text) const { return log().find(text) != std::string::npos; }

 private:
  Catalog& catalog_;
  std::map<std::string, std::string> settings_;
  int log_fd_;
  Redactor& redactor_;
  Log& log_;
  std::unique_ptr<InProcessInvoker> invoker_;
};

}  // namespace par::core::testing
