#pragma once

#include <string>

#include "core/base/result.hpp"

namespace par::wire {
class Struct;
}

namespace par::core {

/// `value` as compact JSON with sorted keys. Numbers are written as JavaScript writes them, an unset value is
/// null. Errors: NaN or an infinity, text that is not UTF-8, more than 256 levels of nesting; they name the
/// path.
Result<std::string> struct_to_json(const wire::Struct& value);

}  // namespace par::core
