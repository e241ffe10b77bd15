#pragma once

// The safe settings are in the SDK's header, so that plugins share them; core adds only the result type.
#include <par/json.hpp>

#include "core/base/result.hpp"

namespace par::core {

/// par::json::parse with the error as a result.
inline Result<json::Document> parse_json(std::string_view text, unsigned max_depth = json::k_max_depth) {
  json::Document document;
  std::string error;
  if (!json::parse(text, document, error, max_depth)) return fail(std::move(error));
  return document;
}

}  // namespace par::core
