#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <par/plugin.h>

#include "core/base/time.hpp"

namespace par::core {

/// What the host knows about one call of a plugin and services need: on whose behalf, until when. A
/// par_call's host_data points to one. Nothing here comes from the plugin.
class CallScope {
 public:
  CallScope(std::string plugin_namespace, std::string sec_datadog_header, std::stop_token cancelled,
            std::optional<SteadyTime> deadline)
      : namespace_(std::move(plugin_namespace)),
        sec_datadog_header_(std::move(sec_datadog_header)),
        cancelled_(std::move(cancelled)),
        deadline_(deadline) {}
  virtual ~CallScope() = default;
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  static CallScope& of(const par_call* call) { return *static_cast<CallScope*>(call->host_data); }

  const std::string& plugin_namespace() const { return namespace_; }
  const std::string& sec_datadog_header() const { return sec_datadog_header_; }
  /// Requested at cancel and when the deadline passes.
  const std::stop_token& cancelled() const { return cancelled_; }
  const std::optional<SteadyTime>& deadline() const { return deadline_; }
  bool deadline_passed() const { return deadline_ && std::chrono::steady_clock::now() >= *deadline_; }

  /// Keeps an object that a service handed out until drop() or the end of the call.
  void keep(std::shared_ptr<void> object) {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(object));
  }
  /// Ends the use of an object; false if the call does not hold it (released twice, or never handed out).
  bool drop(const void* object) {
    std::shared_ptr<void> dropped;  // destroyed outside the lock
    const std::lock_guard lock(mutex_);
    for (auto at = kept_.begin(); at != kept_.end(); ++at) {
      if (at->get() == object) {
        dropped = std::move(*at);
        kept_.erase(at);
        return true;
      }
    }
    return false;
  }
  /// Ends the use of all objects that are left; how many there were.
  size_t drop_all() {
    std::list<std::shared_ptr<void>> dropped;  // destroyed outside the lock
    const std::lock_guard lock(mutex_);
    dropped.swap(kept_);
    return dropped.size();
  }

 private:
  std::string namespace_;
  std::string sec_datadog_header_;
  std::stop_token cancelled_;
  std::optional<SteadyTime> deadline_;
  std::mutex mutex_;
  std::list<std::shared_ptr<void>> kept_;
};

}  // namespace par::core
