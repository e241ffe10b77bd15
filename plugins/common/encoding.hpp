#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What the plugins of this tree share: bytes from foreign systems made fit for a JSON result.
namespace plugin_common {

/// The text with each byte that is not part of valid UTF-8 replaced by U+FFFD. Valid text is moved through.
std::string to_valid_utf8(std::string bytes);
bool is_valid_utf8(std::string_view text);
/// Number of bytes of `text`, at most `limit`, that end at a character boundary.
size_t utf8_prefix(std::string_view text, size_t limit);
void append_utf8(std::string& out, uint32_t code_point);

/// Padded base64 with the standard or the URL alphabet.
std::string base64(std::string_view bytes, bool url_alphabet = false);
/// Decodes padded standard base64; false if it is anything else.
bool base64_decode(std::string_view text, std::string& bytes);
std::string hex(std::string_view bytes);

/// Appends `text` with every byte as %XX but letters, digits, "-_.~" and those of `kept`.
void append_percent_encoded(std::string& out, std::string_view text, std::string_view kept = {});
/// Appends `text` as form data: percent-encoded, a space as '+'.
void append_form_encoded(std::string& out, std::string_view text);

/// Appends `text`, which must be valid UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);
/// Length of what append_json_string appends.
size_t json_string_size(std::string_view text);

}  // namespace plugin_common
