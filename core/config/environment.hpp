#pragma once

#include <optional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/config/config.hpp"
#include "core/config/setting.hpp"

namespace par::core {

/// The text of a variable. An empty variable counts as one that is not there: compose files and manifests
/// leave such behind.
std::string_view variable(const Environment& environment, std::string_view name);

/// A text as the setting that a variable gives.
Setting setting_of_variable(std::string_view name, std::string_view text);

/// The setting that a variable gives, if it is set. A secret may also be in a file that the variable
/// <name>_FILE names. Errors: that file cannot be read or is empty.
Result<std::optional<Setting>> read_variable(const Environment& environment, std::string_view name,
                                             bool secret);

}  // namespace par::core
