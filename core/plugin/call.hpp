#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <par/plugin.h>

#include "core/channel/outcome.hpp"
#include "core/plugin/cancel_functions.hpp"
#include "core/services/call_scope.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core {

class Log;

/// On whose behalf a plugin is called. `action` and `task_id` are empty while it is opened.
struct CallSubject {
  std::string plugin_namespace;
  std::string action;
  std::string task_id;
  std::string sec_datadog_header;
};

/// What a plugin says in its own name, fit for a log line or an error text: without secrets, in valid UTF-8,
/// at most 8 KiB.
std::string presentable(const Redactor& redactor, std::string_view text);

/// The par_call that a plugin gets for one open or execute, and what it told through it. All functions of
/// abi() may be called on any thread until finish().
class PluginCall final : public CallScope {
 public:
  /// What the plugin has told when it returns.
  struct Report {
    std::optional<std::string> body;  ///< the accepted result inside its frame
    bool described = false;           ///< error() was called
    std::string message;              ///< presentable
    std::string display;              ///< presentable; empty: the same as message
  };

  /// `frame` is put around the result and must live as long as the call; null means that no result is taken
  /// (open).
  PluginCall(CallSubject subject, std::optional<SteadyTime> deadline, const PublishFrame* frame,
             uint64_t max_result_bytes, const Log& log, Redactor& redactor);
  ~PluginCall() override = default;

  const par_call* abi() const { return &abi_; }
  const CallSubject& subject() const { return subject_; }

  /// The plugin sees PAR_STATE_DRAIN from now on.
  void drain() { draining_.store(true, std::memory_order_relaxed); }

  /// The plugin sees PAR_STATE_CANCEL from now on; waits and service calls end, on_cancel functions run. Only
  /// the first call counts.
  void cancel();

  /// After the plugin has returned: removes its on_cancel functions (waiting for one that runs) and the
  /// objects of services that it did not release, and logs both as misbehaviour. Called once.
  Report finish();

  /// Logs a breach of the ABI's contract by the plugin.
  void misbehaviour(std::string_view what) const;

 private:
  PluginCall(std::stop_source&& stop, CallSubject&& subject, std::optional<SteadyTime> deadline,
             const PublishFrame* frame, uint64_t max_result_bytes, const Log& log, Redactor& redactor);
  static par_call make_abi(PluginCall* self);
  static PluginCall& self(const par_call* call) { return static_cast<PluginCall&>(CallScope::of(call)); }

  int32_t state() const;
  int64_t remaining_ms() const;
  par_status wait(int64_t ms) const;
  par_status on_cancel(CancelFunctions::Function function, void* argument, uint64_t* id);
  void add_secret(par_bytes value);
  par_status result(const par_str* parts, size_t count);
  void error(par_str message, par_str display);

  std::stop_source stop_;
  CallSubject subject_;
  const PublishFrame* frame_;
  uint64_t max_result_bytes_;
  const Log& log_;
  Redactor& redactor_;
  std::atomic<bool> draining_ = false;
  CancelFunctions cancel_functions_;

  std::mutex result_mutex_;
  std::optional<std::string> body_;
  std::mutex mutex_;  ///< guards what follows
  bool described_ = false;
  std::string message_;
  std::string display_;
  std::vector<Redactor::Registration> secrets_;

  par_call abi_;
};

}  // namespace par::core
