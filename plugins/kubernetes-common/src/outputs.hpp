#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kinds.hpp"

namespace kubernetes {

/// A result in parts that are put together by the host; views of the answer and of constants.
using Parts = std::vector<std::string_view>;

/// What an action returns of an object: the kind's fields out of the server's answer, unchanged; fields that
/// are always given get an empty value. Nothing if the answer is no JSON object with metadata.
std::optional<Parts> object_output(const Kind& kind, std::string_view answer);

/// `items` and `metadata` out of the server's answer. Nothing if it is no JSON object with a list of items.
std::optional<Parts> list_output(std::string_view answer);

}  // namespace kubernetes
