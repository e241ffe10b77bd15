#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/config/setting.hpp"

namespace par::core {

/// Reads one YAML document. `name` stands in front of line numbers in errors and in `where`.
/// Refused, with the line: what YAML refuses, text that is not UTF-8, a second document, two equal keys in
/// one mapping (which of the two would count is anyone's guess, and an allowlist must not be one), keys that
/// are no texts, anchors and aliases (a few lines of them can stand for gigabytes), more than 32 levels. An
/// empty document is null.
Result<Setting> read_yaml(std::string_view text, const std::string& name);

}  // namespace par::core
