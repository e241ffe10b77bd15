#pragma once

#include "core/config/config.hpp"

namespace par::core {

class Log;
class Redactor;

/// Exit codes of a run.
inline constexpr int k_exit_ok = 0;       ///< stopped by a signal, however much had to be cancelled
inline constexpr int k_exit_failure = 1;  ///< could not start: identity, certificates, port, settings
inline constexpr int k_exit_abandoned =
    3;  ///< too many calls of plugins did not return; start the runner again

/// The runner with everything in it, from configuration to exit code. The calling thread becomes its control
/// thread.
class Runner {
 public:
  /// `log` and `redactor` must live until the process ends.
  Runner(Config config, Log& log, Redactor& redactor);

  /// Runs until SIGTERM or SIGINT, then stops as the drain timeout allows. A second signal ends the process
  /// at once, with 128 + its number. Returns the exit code; but when a thread of a plugin is alive at the
  /// end, the process ends inside this function, without destructors.
  int run();

 private:
  Config config_;
  Log& log_;
  Redactor& redactor_;
};

}  // namespace par::core
