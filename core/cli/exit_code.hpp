#pragma once

namespace par::core {

/// What the program's exit codes mean; --help prints the same. A second signal during the stop ends the
/// process with 128 + its number.
enum ExitCode : int {
  exit_ok = 0,      ///< done; for the service: stopped by a signal
  exit_failed = 1,  ///< the command's answer is no, or the service could not start
  exit_usage = 2,   ///< unknown or contradicting arguments
  exit_abandoned =
      3,  ///< the service ended itself since too many calls of plugins did not return: start it again
};

}  // namespace par::core
