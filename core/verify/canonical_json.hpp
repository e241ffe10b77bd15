#pragma once

#include <string>

#include "core/base/json.hpp"
#include "core/base/result.hpp"

namespace par::core {

/// The form of `value` that TUF signs: members sorted by the bytes of their names, no blanks, and in texts
/// only the quote and the backslash escaped. Errors: two members of one name, or a number that is not a whole
/// one of 64 bits. `value` must come from parse_json, which bounds its depth.
Result<std::string> canonical_json(const json::Value& value);

}  // namespace par::core
