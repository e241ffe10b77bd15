#pragma once

#include <string_view>

#include <par/json.hpp>

namespace temporal_plugin {

/// Writes one WorkflowExecutionInfo, given as protobuf bytes, as a JSON object: keys as the API spells them,
/// enums as numbers, times and durations as {seconds, nanos}, bytes in base64, zero values left out. Fields
/// that are not known here are left out. Throws par::Error if the bytes are no message.
void write_execution(std::string_view message, par::json::Writer& writer);

}  // namespace temporal_plugin
