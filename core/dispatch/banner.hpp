#pragma once

#include <string>

namespace par::core {

class ActionsAllowlist;
class Catalog;
class Log;
class TrustStore;
struct Config;

/// Writes what an operator wants to see at the top of the log: where the configuration came from, who the
/// runner is, what it may run and how it reaches Datadog; then one warning for each thing that looks wrong.
void log_banner(const Log& log, const Config& config, const ActionsAllowlist& allowlist,
                const Catalog& catalog, const TrustStore& trust);

/// A proxy's URL without its credentials; "none" if there is none.
std::string proxy_text(const std::string& proxy);

}  // namespace par::core
