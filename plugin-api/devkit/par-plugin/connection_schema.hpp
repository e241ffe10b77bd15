#pragma once

#include <string_view>

namespace par::kit {

/// The text of plugin-api/spec/connection.schema.json.
extern const std::string_view k_connection_schema;

}  // namespace par::kit
