#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/config/config.hpp"

namespace par::core {

class Redactor;

/// How a runner is enrolled.
enum class EnrollmentKind {
  token,    ///< with the one-time token that Datadog's page for a new runner shows
  api_keys  ///< with an API key and an application key
};

/// What the operator gives for an enrollment, in variables that count at no other time.
struct EnrollmentSettings {
  EnrollmentKind kind = EnrollmentKind::token;
  Secret token;                      ///< RUNNER_ENROLLMENT_TOKEN; for `token` only
  Secret api_key;                    ///< DD_API_KEY; for `api_keys` only, as all below
  Secret app_key;                    ///< DD_APP_KEY
  std::string name;                  ///< RUNNER_NAME, or this machine's name: the same at each attempt
  std::vector<std::string> modes;    ///< RUNNER_MODES in their new names, or the configuration's
  std::vector<std::string> actions;  ///< ACTIONS_ALLOWLIST
};

/// Is a one-time token given?
bool has_enrollment_token(const Environment& environment);

/// Reads the variables and checks the form of what is secret, so that a mistake is seen before anything is
/// sent, and lets `redactor` know the secrets. Errors name the variable and never quote a secret.
Result<EnrollmentSettings> read_enrollment_settings(EnrollmentKind kind, const Environment& environment,
                                                    const Config& config, Redactor& redactor);

}  // namespace par::core
