#pragma once

#include <cstdint>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace par::core {

/// Asks the runner on this machine for /liveness. An error says that nobody answers within `limit`, or what
/// the answer was if it is not 200. Blocks.
Result<void> probe_liveness(uint16_t port, Milliseconds limit);

}  // namespace par::core
