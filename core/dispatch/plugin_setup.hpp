#pragma once

#include <filesystem>

#include "core/base/result.hpp"
#include "core/plugin/in_process_invoker.hpp"
#include "core/services/egress.hpp"

namespace par::core {

class Catalog;
struct Config;

// What plugins are run with, as the configuration says; the running service and `par-runner invoke` share it.

/// The operator's part of what plugins may reach. Error: an entry of `allowlist` that is none.
Result<EgressSettings> egress_settings(const Config& config);

/// Settings of a plugin that is installed must fit what its manifest describes.
Result<void> check_plugin_settings(const Config& config, const Catalog& catalog);

InvokerLimits invoker_limits(const Config& config);

/// The helper program of par.process/1: installed beside the runner's own libraries; in a build tree, beside
/// the runner.
std::filesystem::path supervisor_program();

}  // namespace par::core
