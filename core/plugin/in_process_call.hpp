#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/plugin/call.hpp"
#include "core/plugin/hosted_plugin.hpp"
#include "core/plugin/invoker.hpp"

namespace par::core {

/// One execution of an action by InProcessInvoker: waiting -> inside -> ended, or waiting -> inside ->
/// abandoned -> ended. Whoever leads it out of waiting or inside tells `done`, so that happens once.
class InProcessCall final : public Invoker::Call, public std::enable_shared_from_this<InProcessCall> {
 public:
  /// `plugin` is null if there is no usable library; `problem` then says why.
  InProcessCall(std::shared_ptr<PluginContext> context, std::shared_ptr<HostedPlugin> plugin,
                std::string problem, Invocation invocation, Invoker::Done done);

  void run() override;
  void drain() override;
  void cancel(std::string reason) override;

 private:
  enum class Phase { waiting, inside, abandoned, ended };

  /// Enters the phase inside; null if the call was interrupted before.
  std::shared_ptr<PluginCall> begin();
  par_status execute(PluginCall& call, std::string& exception);
  void end(PluginCall& call, par_status status, const std::string& exception);
  Outcome conclude(PluginCall& call, par_status status, const std::string& exception);
  Failure cut_off_failure(std::string_view message, std::string_view display) const;
  void not_started(const std::string& problem);
  /// The call's time is over: tells the plugin, and gives the call up after the grace.
  void cut_off(std::string cause);
  void give_up();

  std::shared_ptr<PluginContext> context_;
  std::shared_ptr<HostedPlugin> plugin_;
  std::string problem_;
  Invoker::Done done_;
  std::atomic<bool> interrupted_ = false;  ///< it shall not start any more

  std::mutex mutex_;  ///< guards what follows; taken before the plugin's own
  Phase phase_ = Phase::waiting;
  Invocation invocation_;  ///< constant while inside
  bool draining_ = false;
  std::optional<std::string> cause_;  ///< why it was cut off
  std::shared_ptr<PluginCall> call_;  ///< while inside
  std::optional<Watchdog::Timer> deadline_timer_;
  std::optional<Watchdog::Timer> grace_timer_;
  SteadyTime abandoned_at_;
};

}  // namespace par::core
