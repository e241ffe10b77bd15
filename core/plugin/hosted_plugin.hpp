#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <par/plugin.h>

#include "core/base/result.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/in_process_invoker.hpp"
#include "core/plugin/watchdog.hpp"

namespace par::core {

/// What all plugins of one invoker share. Calls that were given up may hold it longer than the invoker lives.
struct PluginContext {
  std::map<std::string, std::string, std::less<>> settings;  ///< JSON objects by namespace
  ServiceLookup services;
  const Log& log;
  Redactor& redactor;
  InvokerLimits limits;
  Watchdog watchdog;
  std::atomic<size_t> abandoned = 0;
};

/// One library inside the process: loaded and opened for the first task that needs it, and the places for its
/// calls. Thread-safe.
class HostedPlugin : public std::enable_shared_from_this<HostedPlugin> {
 public:
  /// `entry` has a manifest and outlives this.
  HostedPlugin(std::shared_ptr<PluginContext> context, const CatalogEntry& entry);
  HostedPlugin(const HostedPlugin&) = delete;
  HostedPlugin& operator=(const HostedPlugin&) = delete;

  /// Waits until the library is open and has a place for one more call, and takes it; leave() gives it back.
  /// Fails when the library cannot be opened, when all its places are lost to calls that hang, or, with an
  /// empty text, once `interrupted` is true (call wake() after setting it).
  Result<void> enter(const std::atomic<bool>& interrupted);
  void leave(bool was_abandoned);
  /// A call inside is given up: its place is lost until it leaves.
  void add_abandoned();
  /// Makes enter() look at `interrupted` again.
  void wake();

  /// Enters the plugin's execute. Only between enter() and leave(). What it throws comes out.
  par_status execute(const par_request& request, const par_call& call) {
    return table_->execute(instance_, &request, &call);
  }

  /// Nothing enters any more. Closes the instance if that is allowed: it is open and no call is inside. May
  /// block as long as the plugin likes. False if the plugin stays as it is until the process ends.
  bool shut_down();

 private:
  enum class State { idle, opening, open, failed, hanging, shut };

  static par_host make_host(HostedPlugin* self);
  void start_opening();
  void open(uint64_t attempt);
  Result<par_instance*> load_and_open(class PluginCall& call);
  void opening_ended(uint64_t attempt, Result<par_instance*> instance);
  void opening_hangs(uint64_t attempt);
  size_t lost_places_bound() const;
  void log_line(const par_call* call, int32_t level, par_str message) const;
  const void* service(const char* id) const;

  std::shared_ptr<PluginContext> context_;
  const CatalogEntry& entry_;
  const Manifest& manifest_;
  par_host host_;

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::idle;
  uint64_t attempt_ = 0;  ///< number of the last attempt to open
  SteadyTime retry_at_;   ///< not opened again before
  std::string problem_;   ///< why it is failed or hanging
  size_t inside_ = 0;     ///< calls that entered and have not left, abandoned ones among them
  size_t abandoned_ = 0;
  const par_plugin* table_ = nullptr;  ///< these two are set before the state becomes open
  par_instance* instance_ = nullptr;
};

}  // namespace par::core
