#pragma once

#include "core/base/result.hpp"
#include "core/config/config.hpp"
#include "core/telemetry/dogstatsd.hpp"

namespace par::core {

/// Where the Agent listens, as the variables of all Datadog clients say: DD_DOGSTATSD_URL
/// (udp://host:port, unix:///path), else DD_DOGSTATSD_SOCKET (a path), else DD_AGENT_HOST and
/// DD_DOGSTATSD_PORT, else this machine's port 8125.
Result<DogStatsdAddress> dogstatsd_address(const Environment& environment);

}  // namespace par::core
