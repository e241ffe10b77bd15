#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace par::backend {

/// A compact JWS, taken apart and not yet verified. Its header is a JSON object without "crit".
struct Jws {
  std::string header;            ///< JSON
  std::string payload;           ///< bytes
  std::string signature;         ///< raw
  std::string_view signed_part;  ///< what the signature covers; a view into the text

  /// Error: not three parts in base64url without padding, or a header that is none.
  static core::Result<Jws> parse(std::string_view text);
};

}  // namespace par::backend
