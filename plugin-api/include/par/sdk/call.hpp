#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <par/http.h>
#include <par/net.h>
#include <par/process.h>
#include <par/sdk/error.hpp>

namespace par {

class Http;
class Net;
class Process;

enum class LogLevel : int32_t {
  debug = PAR_LOG_DEBUG,
  info = PAR_LOG_INFO,
  warn = PAR_LOG_WARN,
  error = PAR_LOG_ERROR
};

/// The host as the plugin sees it, for the life of the plugin. Copy it freely; any thread.
class Host {
 public:
  explicit Host(const par_host* host) : host_(host) {}

  std::string_view name() const { return view(host_->name); }
  std::string_view version() const { return view(host_->version); }
  /// A log line that belongs to no task.
  void log(LogLevel level, std::string_view message) const {
    host_->log(host_, nullptr, static_cast<int32_t>(level), to_str(message));
  }
  /// Keeps a value out of logs and error texts for the life of the process.
  void secret(std::string_view value) const { host_->secret(host_, to_bytes(value)); }
  /// The table of a service, or null if the host lacks it, has only an older and shorter one, or the manifest
  /// does not list it.
  template <typename Table>
  const Table* service(const char* id) const {
    const auto* const table = static_cast<const Table*>(host_->service(host_, id));
    return detail::complete(table) ? table : nullptr;
  }
  const par_host* raw() const { return host_; }

 private:
  const par_host* host_;
};

/// The services that the host gave this plugin; null where there is none.
struct Services {
  const par_http* http = nullptr;
  const par_net* net = nullptr;
  const par_process* process = nullptr;

  static Services of(const Host& host) {
    return {host.service<par_http>(PAR_HTTP_SERVICE), host.service<par_net>(PAR_NET_SERVICE),
            host.service<par_process>(PAR_PROCESS_SERVICE)};
  }
};

/// Runs a function when its call is cancelled, until this object ends. Made by Call::on_cancel.
template <typename Function>
class CancelGuard {
 public:
  CancelGuard(const par_call* call, Function function) : call_(call), function_(std::move(function)) {
    const par_status status = call_->on_cancel(call_, &CancelGuard::run, this, &id_);
    if (status != PAR_OK) detail::raise(status, {});
  }
  CancelGuard(const CancelGuard&) = delete;
  CancelGuard& operator=(const CancelGuard&) = delete;
  /// Waits until the function has ended if it is running.
  ~CancelGuard() { call_->off_cancel(call_, id_); }

 private:
  static void run(void* self) noexcept {
    try {
      static_cast<CancelGuard*>(self)->function_();
    } catch (...) {  // It is called again in 500 ms; there is nobody to tell.
    }
  }

  const par_call* call_;
  Function function_;
  uint64_t id_ = 0;
};

/// One execution of an action, or the opening of the plugin. Usable from any thread until the action
/// has returned.
class Call {
 public:
  using Milliseconds = std::chrono::milliseconds;

  Call(const par_call* call, Host host, const Services& services)
      : call_(call), host_(host), services_(services) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// The runner stops soon: finish, start nothing long.
  bool draining() const { return call_->state(call_) >= PAR_STATE_DRAIN; }
  /// Return now: cancelled, or the time limit has passed.
  bool cancelled() const { return call_->state(call_) >= PAR_STATE_CANCEL; }
  /// Throws PAR_CANCELLED if cancelled(). For loops.
  void check() const {
    if (cancelled()) detail::raise(PAR_CANCELLED, {});
  }
  /// Time to the limit of the call; Milliseconds::max() if it has none.
  Milliseconds remaining() const { return Milliseconds(call_->remaining_ms(call_)); }
  /// Sleeps. Throws PAR_CANCELLED as soon as the call is cancelled.
  void wait(Milliseconds time) const {
    const par_status status = call_->wait(call_, time.count());
    if (status != PAR_OK) detail::raise(status, {});
  }
  /// Calls `function` when the call is cancelled, and again every 500 ms, until the returned guard ends. For
  /// libraries that block: the function must be idempotent, may run on another thread and must not log
  /// through anything but this host. Throws PAR_CANCELLED if the call is cancelled already. Never end the
  /// guard while holding a lock that the function takes.
  template <typename Function>
  [[nodiscard]] CancelGuard<std::decay_t<Function>> on_cancel(Function&& function) const {
    return CancelGuard<std::decay_t<Function>>(call_, std::forward<Function>(function));
  }

  /// A log line of this task.
  void log(LogLevel level, std::string_view message) const {
    host_.raw()->log(host_.raw(), call_, static_cast<int32_t>(level), to_str(message));
  }
  /// Keeps a value out of logs and error texts while this call lives. Tokens of the connection are
  /// known already.
  void secret(std::string_view value) const { call_->secret(call_, to_bytes(value)); }

  /// Largest result, in bytes, that result() accepts.
  uint64_t max_result_bytes() const { return call_->max_result_bytes(call_); }
  /// Hands over the result: one JSON object. Throws PAR_LIMIT if it is too large (another result may follow),
  /// PAR_BAD_RESULT if it is not an object in valid UTF-8.
  void result(std::string_view json) {
    const par_str part = to_str(json);
    result(&part, 1);
  }
  /// As above, from parts that are joined by the host. Nothing is copied here.
  void result(std::initializer_list<std::string_view> parts) {
    constexpr size_t k_small = 8;
    if (parts.size() <= k_small) {
      par_str strs[k_small];
      size_t count = 0;
      for (const std::string_view part : parts) strs[count++] = to_str(part);
      result(strs, count);
      return;
    }
    std::string joined;
    for (const std::string_view part : parts) joined += part;
    const par_str str = to_str(joined);
    result(&str, 1);
  }
  void result(const par_str* parts, size_t count) {
    const par_status status = call_->result(call_, parts, count);
    if (status == PAR_OK) return;
    if (status == PAR_LIMIT) {
      uint64_t size = 0;
      for (size_t at = 0; at < count; ++at) size += parts[at].len;
      throw Error(PAR_LIMIT, "the result has " + std::to_string(size) + " bytes, more than the limit of " +
                                 std::to_string(max_result_bytes()));
    }
    detail::raise(status, {});
  }
  /// Ends the action as failed; see Error.
  [[noreturn]] void fail(std::string message, std::string display = {}) const {
    throw Error(std::move(message), std::move(display));
  }

  /// The services of the host for this call. Each throws PAR_UNSUPPORTED if the host does not have the
  /// service or the manifest does not list it.
  Http http() const;
  Net net() const;
  Process process() const;

  const Host& host() const { return host_; }
  const par_call* raw() const { return call_; }

 private:
  template <typename Table>
  const Table* need(const Table* table, const char* id) const {
    if (table != nullptr) return table;
    throw Error(PAR_UNSUPPORTED, std::string("the host offers no service ") + id +
                                     "; is it listed under \"services\" in the manifest?");
  }

  const par_call* call_;
  Host host_;
  Services services_;
};

/// One task. Views, valid until the action has returned.
class Request {
 public:
  explicit Request(const par_request* request) : request_(request) {}

  std::string_view task_id() const { return view(request_->task_id); }
  std::string_view action() const { return view(request_->action); }
  /// A JSON object, valid against the action's input schema.
  std::string_view inputs_json() const { return view(request_->inputs_json); }
  /// A JSON object as spec/connection.schema.json says; par/connection.hpp reads it.
  std::string_view connection_json() const { return view(request_->connection_json); }

 private:
  const par_request* request_;
};

/// What the constructor of a plugin may take.
struct Setup {
  Host host;
  std::string_view
      settings_json;  ///< plugins.<namespace> of the configuration, valid against config_schema; or "{}"
  Call& call;         ///< ends after 30 s
};

}  // namespace par
