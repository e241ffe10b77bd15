#pragma once

#include "core/base/result.hpp"

namespace par::core {

struct Arguments;
struct Config;
class Log;
class Redactor;

/// Runs one action with the real plugin, services, policy and limits, without Datadog: prints its result on
/// standard output, or says on standard error why there is none, and what actionsAllowlist says of it. The
/// exit code. Everything given must live until the process ends, since the plugin may hang.
int invoke(const Arguments& arguments, const Config& config, const Log& log, Redactor& redactor);

}  // namespace par::core
