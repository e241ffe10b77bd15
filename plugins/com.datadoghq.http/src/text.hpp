#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace http_plugin {

/// ASCII helpers; bytes above 127 are left alone.
bool equal_ignoring_case(std::string_view left, std::string_view right);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
std::string lower(std::string_view text);
/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);
/// A token as RFC 9110 defines it: a method or a header name.
bool is_token(std::string_view text);

/// The text with each byte that is not part of valid UTF-8 replaced by U+FFFD. Valid text is moved through.
std::string to_valid_utf8(std::string bytes);
/// Each byte is one code point.
std::string latin1_to_utf8(std::string_view bytes);
/// Lone surrogates become U+FFFD. `bytes` must have an even length.
std::string utf16le_to_utf8(std::string_view bytes);
/// Number of bytes of `text`, at most `limit`, that end at a character boundary.
size_t utf8_prefix(std::string_view text, size_t limit);
void append_utf8(std::string& out, uint32_t code_point);

/// Padded base64 with the standard or the URL alphabet.
std::string base64(std::string_view bytes, bool url_alphabet = false);
/// Decodes padded standard base64; false if it is anything else.
bool base64_decode(std::string_view text, std::string& bytes);
std::string hex(std::string_view bytes);

/// Appends `text`, which must be valid UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);
/// Length of what append_json_string appends.
size_t json_string_size(std::string_view text);

}  // namespace http_plugin
