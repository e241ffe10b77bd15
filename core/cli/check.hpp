#pragma once

#include <memory>

#include "core/config/config.hpp"

namespace par::core {

class Catalog;
class Log;
class RequestTokens;
class Report;
class TrustStore;

// The parts of --check. Each writes its lines to the report; what several need is made once and passed on.

/// The identity as a source of request tokens, or null where it is missing or malformed.
std::unique_ptr<RequestTokens> check_identity_settings(const Config& config, Report& report);

/// The allowlist against the actions that are installed.
void check_allowlist(const Config& config, const Catalog& catalog, Report& report);

/// Every library of the plugin directories, the settings of each, and, where the allowlist opens its
/// namespace, whether it can be loaded: a task would do no more.
void check_plugins(const Config& config, const Catalog& catalog, Report& report);

/// Whether the files in the credentials directory can be read.
void check_credentials(const Config& config, Report& report);

/// The operator's certificates; null where they cannot be used.
std::shared_ptr<TrustStore> check_certificates(const Config& config, Report& report);

/// One health-check call to Datadog and, unless keys come from a directory, one look at Remote Config. Takes
/// no task.
void check_datadog(const Config& config, RequestTokens& tokens, std::shared_ptr<TrustStore> trust,
                   const Log& log, Report& report);

}  // namespace par::core
