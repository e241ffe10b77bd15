#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace par::core {

/// RFC 4648 section 4, with padding.
std::string base64_encode(std::string_view bytes);
/// RFC 4648 section 5, without padding.
std::string base64url_encode(std::string_view bytes);
/// Either alphabet (not both in one text), padded or not. Nothing if a character is foreign or the length
/// impossible.
std::optional<std::string> base64_decode(std::string_view text);

std::string hex_encode(std::string_view bytes);
std::optional<std::string> hex_decode(std::string_view text);

/// %XX for everything but RFC 3986 unreserved characters and those in `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = "");

/// True if `text` is valid UTF-8 without surrogates.
bool is_utf8(std::string_view text);

}  // namespace par::core
