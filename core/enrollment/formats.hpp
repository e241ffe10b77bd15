#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace par::core {

struct Config;

/// How an identity is written down.
enum class EnrollmentFormat {
  config,       ///< a config.yaml
  helm_values,  ///< values of the official Helm chart, whose list of options is closed
  env           ///< lines NAME=value, for docker's --env-file and kubectl's --from-env-file
};
/// By its name on the command line: config, helm-values, env.
std::optional<EnrollmentFormat> enrollment_format(std::string_view name);

/// The runner of `config`, whose identity is set, in that form. The text holds the private key.
Secret render(const Config& config, EnrollmentFormat format);

/// `existing`, the text of a config.yaml, with what it does not say about the runner of `config`: identity,
/// site, modes, allowlist. What it says stays, comments included; an empty text becomes a whole config.yaml.
/// The error says that the file has a form to which nothing can be added, and what to do.
Result<Secret> complete_config_file(std::string_view existing, const Config& config);

}  // namespace par::core
