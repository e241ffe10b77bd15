#pragma once

#include <string_view>

#include <par/json.hpp>

namespace kubernetes {

/// Text of the member `name`; empty if there is none or it is no string. A view into `object`.
inline std::string_view text_of(const par::json::Value& object, std::string_view name) {
  const auto* const member = par::json::find(object, name);
  return member != nullptr && member->IsString() ? par::json::text(*member) : std::string_view();
}

}  // namespace kubernetes
