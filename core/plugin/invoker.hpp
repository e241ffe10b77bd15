#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <par/plugin.h>

#include "core/base/secret.hpp"
#include "core/base/time.hpp"
#include "core/channel/outcome.hpp"

namespace par::core {

/// One execution of an action, ready to run. Owned by the call until the plugin has returned, however late
/// that is.
struct Invocation {
  std::string plugin_namespace;
  std::string action;
  std::string task_id;
  std::string inputs_json;
  Secret connection_json;
  std::string sec_datadog_header;
  bool writes = true;                      ///< the action changes something outside
  std::optional<Milliseconds> time_limit;  ///< of execute; starts when the plugin is entered
  uint64_t max_result_bytes = 15u << 20;
  PublishFrame frame;                ///< put around the accepted result
  std::shared_ptr<void> keep_alive;  ///< released when the call has returned (redactor registrations)
};

/// Runs actions. In-process now; the same interface will serve a child process. Thread-safe.
class Invoker {
 public:
  virtual ~Invoker() = default;

  /// One invocation on its way.
  class Call {
   public:
    virtual ~Call() = default;
    /// Runs the invocation on the calling thread, which it may block for ever: waits for a place of its
    /// namespace, loads and opens the library at first use, enters the plugin. Returns when the plugin has
    /// returned. Called once.
    virtual void run() = 0;
    /// The runner drains: the plugin sees it in its call's state. Any thread.
    virtual void drain() = 0;
    /// Ends the call: cancel now, and if the plugin has not returned within the grace (2 s), give it up with
    /// a failure that says `reason` (and, for writes, that the effect is unknown). Any thread; does nothing
    /// once it has ended.
    virtual void cancel(std::string reason) = 0;
  };

  /// Called exactly once with what is to be published: on the thread inside run(), or, when the call is given
  /// up, on the invoker's own watchdog thread. Must not block. `given_up` says that the thread inside run()
  /// is lost until the plugin returns, so its slot needs a new one.
  using Done = std::function<void(Outcome outcome, bool given_up)>;

  virtual std::shared_ptr<Call> prepare(Invocation invocation, Done done) = 0;

  /// Calls that were given up and have not returned yet.
  virtual size_t abandoned() const = 0;
};

}  // namespace par::core
