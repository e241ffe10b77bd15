#include "text.hpp"

#include <cstring>

namespace http_plugin {
namespace {

constexpr std::string_view k_blanks = " \t\r\n\v\f";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && starts_with_ignoring_case(left, right);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (size_t at = 0; at < prefix.size(); ++at) {
    if (lower(text[at]) != lower(prefix[at])) return false;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

bool is_white_space(char c) {
  return k_blanks.find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(k_blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(k_blanks) - first + 1);
}

bool is_token(std::string_view text) {
  for (const char c : text) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter_or_digit && (c == '\0' || std::strchr("!#$%&'*+-.^_`|~", c) == nullptr)) return false;
  }
  return !text.empty();
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) append_utf8(result, static_cast<unsigned char>(c));
  return result;
}

std::string utf16le_to_utf8(std::string_view bytes) {
  const auto unit = [&](size_t at) -> uint32_t {
    return static_cast<unsigned char>(bytes[at]) |
           static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + 1])) << 8;
  };
  std::string result;
  result.reserve(bytes.size());
  for (size_t at = 0; at + 1 < bytes.size(); at += 2) {
    uint32_t code = unit(at);
    if (code >= 0xD800 && code <= 0xDFFF) {
      const uint32_t next = at + 3 < bytes.size() ? unit(at + 2) : 0;
      if (code <= 0xDBFF && next >= 0xDC00 && next <= 0xDFFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (next - 0xDC00);
        at += 2;
      } else {
        code = 0xFFFD;
      }
    }
    append_utf8(result, code);
  }
  return result;
}

}  // namespace http_plugin
