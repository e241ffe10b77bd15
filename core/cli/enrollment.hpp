#pragma once

#include <functional>

#include "core/base/result.hpp"
#include "core/cli/arguments.hpp"
#include "core/config/config.hpp"

namespace par::core {

class Log;
class Redactor;

/// What the enrolling commands share.
struct EnrollmentContext {
  const Arguments& arguments;
  const Environment& environment;
  std::function<Result<Config>()> load;  ///< reads the configuration (again)
  const Log& log;
  Redactor& redactor;
};

/// The beginning of a run: a runner without identity is enrolled if a token or --with-api-key is given, and
/// what it gets is kept in its configuration directory. `config` is then read again. Without token and flag
/// nothing happens. False: a signal asked to stop meanwhile.
Result<bool> enroll_if_needed(const EnrollmentContext& context, Config& config);

/// --enroll: writes the identity to the output of the arguments, one that `config` has or a new one. Returns
/// the exit code.
int enroll_and_print(const EnrollmentContext& context, Config config);

}  // namespace par::core
