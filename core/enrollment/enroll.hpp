#pragma once

#include <functional>

#include "core/base/result.hpp"
#include "core/config/config.hpp"
#include "core/enrollment/settings.hpp"

namespace par::core {

class Log;
class Redactor;

/// What an enrollment gives: the configuration with identity, modes and allowlist of the new runner.
struct Enrolled {
  Config config;
  bool stop_requested = false;  ///< SIGTERM or SIGINT came; the identity may then be missing still
};

/// Enrolls the runner of `config`, which has no identity: makes its key, sends the request, and hands the
/// result to `keep` before it returns. Until then SIGTERM and SIGINT are held back, since to end between
/// Datadog's answer and `keep` would lose the identity; before anything is sent they end it. If `keep` fails
/// so does the enrollment, with its error. An allowlist in the configuration stays.
Result<Enrolled> enroll(Config config, const EnrollmentSettings& settings, const Log& log, Redactor& redactor,
                        const std::function<Result<void>(const Config&)>& keep);

/// Stands in for the identity of `config`, so that what will be done with it can be tried before.
Config with_sample_identity(Config config);

}  // namespace par::core
