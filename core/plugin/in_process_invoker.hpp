#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/plugin/invoker.hpp"

namespace par::core {

class Catalog;
class HostedPlugin;
class Log;
class Redactor;
struct PluginContext;

/// Finds the table of a host service ("par.http/1"), or null.
using ServiceLookup = std::function<const void*(std::string_view id)>;

/// Times and bounds of the invoker; tests shorten them.
struct InvokerLimits {
  Milliseconds grace{2'000};         ///< from cancel until a call is given up
  Milliseconds open_limit{30'000};   ///< of a plugin's open
  Milliseconds reopen_delay{5'000};  ///< after a failed open
  size_t pool_size =
      10;  ///< calls that a plugin without max_concurrency may lose before it counts as hanging
};

/// Runs plugins inside this process. A library is loaded and opened for the first call that needs it, on a
/// thread of its own; after that run() goes straight into the plugin. One watchdog thread serves time limits
/// and graces; it exists from the first of them. Everything given to the constructor by reference must live
/// until the process ends, since a library that hangs may come back at any time.
class InProcessInvoker final : public Invoker {
 public:
  /// `settings` are JSON objects by namespace; a plugin that is not there gets "{}".
  InProcessInvoker(const Catalog& catalog, const std::map<std::string, std::string>& settings,
                   ServiceLookup services, const Log& log, Redactor& redactor, InvokerLimits limits);
  /// Shuts down.
  ~InProcessInvoker() override;

  std::shared_ptr<Call> prepare(Invocation invocation, Done done) override;
  size_t abandoned() const override;

  /// From now on no plugin is entered. Closes the instances that have no call inside, for at most the grace;
  /// the others stay as they are until the process ends. The watchdog goes on until the destructor. Not to be
  /// called from a Done.
  void shutdown();

 private:
  std::shared_ptr<HostedPlugin> plugin(std::string_view plugin_namespace);

  const Catalog& catalog_;
  std::shared_ptr<PluginContext> context_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<HostedPlugin>, std::less<>> plugins_;
};

}  // namespace par::core
