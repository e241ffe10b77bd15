#pragma once

#include <string>

#include <par/json.hpp>

namespace temporal_plugin {

namespace wire {
class Payload;
}

/// One argument of a workflow.
void write_payload(const par::json::Value& argument, wire::Payload& payload);

/// What a workflow returned, as a string. A value that is no string is an error, or with `json_text` its
/// compact JSON text, all digits of numbers kept. Throws par::Error.
std::string read_result(const wire::Payload& payload, bool json_text);

}  // namespace temporal_plugin
