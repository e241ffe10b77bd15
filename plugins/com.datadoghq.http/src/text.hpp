#pragma once

#include <string>
#include <string_view>

#include "plugins/common/encoding.hpp"

namespace http_plugin {

using plugin_common::append_json_string;
using plugin_common::append_utf8;
using plugin_common::base64;
using plugin_common::base64_decode;
using plugin_common::hex;
using plugin_common::json_string_size;
using plugin_common::to_valid_utf8;
using plugin_common::utf8_prefix;

/// ASCII helpers; bytes above 127 are left alone.
bool equal_ignoring_case(std::string_view left, std::string_view right);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
std::string lower(std::string_view text);
bool is_white_space(char c);
/// Without ASCII white space at both ends.
std::string_view trim(std::string_view text);
/// A token as RFC 9110 defines it: a method or a header name.
bool is_token(std::string_view text);

/// Each byte is one code point.
std::string latin1_to_utf8(std::string_view bytes);
/// Lone surrogates become U+FFFD. `bytes` must have an even length.
std::string utf16le_to_utf8(std::string_view bytes);

}  // namespace http_plugin
