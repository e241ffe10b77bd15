#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/telemetry/local_server.hpp"

namespace par::core {

/// What probes are told. Written by the control thread, read by the threads of the local server.
///
/// Alive: the control thread ticked within the last 60 s; Datadog's state never counts, or an outage would
/// restart every runner. Ready: there is a key that can verify tasks, a call to Datadog succeeded within two
/// minutes and the wait that was in force then, and the runner does not drain. (The identity is there, or the
/// runner would not have started.)
class Health {
 public:
  using Now = std::function<SteadyTime()>;
  explicit Health(Now now = &std::chrono::steady_clock::now);

  void tick();
  /// A call to Datadog succeeded; the next one may have to wait for `wait`.
  void control_succeeded(Milliseconds wait);
  /// Why no task can be verified; empty: keys are there.
  void keys(std::string problem);
  /// The runner stops, and why.
  void draining(std::string reason);

  LocalServer::Report liveness() const;
  LocalServer::Report readiness() const;

 private:
  Now now_;
  mutable std::mutex mutex_;
  SteadyTime last_tick_;
  std::optional<SteadyTime> ready_until_;
  std::string key_problem_ = "no key to verify tasks with yet";
  std::string draining_;
};

}  // namespace par::core
