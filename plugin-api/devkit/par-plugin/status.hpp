#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <par/plugin.h>

namespace par::kit {

/// As par/plugin.h spells it, such as "PAR_CONNECT"; the number for a value that it does not have.
std::string status_name(par_status status);

std::optional<par_status> status_named(std::string_view name);

std::vector<std::string> status_names();

}  // namespace par::kit
