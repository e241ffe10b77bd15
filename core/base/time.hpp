#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace par::core {

using SystemTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// RFC 3339 in UTC with whole seconds, such as 2026-01-01T00:00:00Z.
std::string rfc3339(SystemTime time);
/// RFC 3339 in UTC with milliseconds.
std::string rfc3339_ms(SystemTime time);
/// Reads RFC 3339 (any offset, any fraction; the fraction is kept to microseconds). Nothing if it is not one.
/// Dates before 1684 or after 2255, which the clock cannot hold, become those.
std::optional<SystemTime> parse_rfc3339(std::string_view text);

}  // namespace par::core
