#include "encoding.hpp"

#include <array>
#include <cstring>

namespace plugin_common {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";
constexpr char k_hex_digits[] = "0123456789abcdef";

// Length of the valid UTF-8 sequence at `at`, 0 if there is none.
size_t sequence(const unsigned char* at, const unsigned char* end) {
  const unsigned char first = *at;
  if (first < 0x80) return 1;
  const size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                        : first >= 0xE0 && first <= 0xEF ? 3
                        : first >= 0xF0 && first <= 0xF4 ? 4
                                                         : 0;
  if (length == 0 || static_cast<size_t>(end - at) < length) return 0;
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (at[1] < low || at[1] > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((at[i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

// First byte that is not part of valid UTF-8, or the end.
size_t valid_prefix(std::string_view text) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = begin + text.size();
  const unsigned char* at = begin;
  while (at < end) {
    uint64_t eight = 0;
    while (end - at >= 8 && (std::memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) at += 8;
    if (at == end) break;
    const size_t length = sequence(at, end);
    if (length == 0) break;
    at += length;
  }
  return static_cast<size_t>(at - begin);
}

// What a byte becomes inside a JSON string: 0 itself, 'u' a \u00xx escape, else backslash and that letter.
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  table['\b'] = 'b';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\f'] = 'f';
  table['\r'] = 'r';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}
constexpr std::array<char, 256> k_escapes = make_escapes();

char escape_of(char c) {
  return k_escapes[static_cast<unsigned char>(c)];
}

}  // namespace

std::string to_valid_utf8(std::string bytes) {
  size_t good = valid_prefix(bytes);
  if (good == bytes.size()) return bytes;
  std::string result;
  result.reserve(bytes.size() + 64);
  std::string_view rest = bytes;
  while (true) {
    result.append(rest.substr(0, good));
    rest.remove_prefix(good);
    if (rest.empty()) return result;
    result += k_replacement;
    rest.remove_prefix(1);
    good = valid_prefix(rest);
  }
}

bool is_valid_utf8(std::string_view text) {
  return valid_prefix(text) == text.size();
}

void append_utf8(std::string& out, uint32_t code_point) {
  const auto add = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xC0 | code_point >> 6);
    add(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    add(0xE0 | code_point >> 12);
    add(0x80 | (code_point >> 6 & 0x3F));
    add(0x80 | (code_point & 0x3F));
  } else {
    add(0xF0 | code_point >> 18);
    add(0x80 | (code_point >> 12 & 0x3F));
    add(0x80 | (code_point >> 6 & 0x3F));
    add(0x80 | (code_point & 0x3F));
  }
}

size_t utf8_prefix(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text.size();
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return limit;
}

std::string base64(std::string_view bytes, bool url_alphabet) {
  const char* const digits = url_alphabet
                                 ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                                 : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result((bytes.size() + 2) / 3 * 4, '=');
  char* out = result.data();
  const auto byte = [&](size_t at) -> uint32_t { return static_cast<unsigned char>(bytes[at]); };
  size_t at = 0;
  for (; at + 2 < bytes.size(); at += 3) {
    const uint32_t three = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    *out++ = digits[three >> 18];
    *out++ = digits[three >> 12 & 63];
    *out++ = digits[three >> 6 & 63];
    *out++ = digits[three & 63];
  }
  if (at < bytes.size()) {
    const bool two = at + 1 < bytes.size();
    const uint32_t rest = byte(at) << 16 | (two ? byte(at + 1) << 8 : 0);
    *out++ = digits[rest >> 18];
    *out++ = digits[rest >> 12 & 63];
    if (two) *out = digits[rest >> 6 & 63];
  }
  return result;
}

bool base64_decode(std::string_view text, std::string& bytes) {
  bytes.clear();
  if (text.size() % 4 != 0) return false;
  const size_t padding = text.empty() ? 0 : text.back() != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
  const size_t digits = text.size() - padding;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  for (size_t at = 0; at < digits; ++at) {
    const char c = text[at];
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (at % 4 == 1) bytes += static_cast<char>(bits >> 4 & 0xFF);
    if (at % 4 == 2) bytes += static_cast<char>(bits >> 2 & 0xFF);
    if (at % 4 == 3) bytes += static_cast<char>(bits & 0xFF);
  }
  return true;
}

std::string hex(std::string_view bytes) {
  std::string result;
  result.reserve(2 * bytes.size());
  for (const char c : bytes) {
    result += k_hex_digits[static_cast<unsigned char>(c) >> 4];
    result += k_hex_digits[c & 15];
  }
  return result;
}

namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

void append_escaped(std::string& out, char c) {
  constexpr char k_digits[] = "0123456789ABCDEF";
  out += '%';
  out += k_digits[static_cast<unsigned char>(c) >> 4];
  out += k_digits[c & 15];
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view text, std::string_view kept) {
  for (const char c : text) {
    if (is_unreserved(c) || kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      append_escaped(out, c);
    }
  }
}

void append_form_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == ' ') {
      out += '+';
    } else if (is_unreserved(c)) {
      out += c;
    } else {
      append_escaped(out, c);
    }
  }
}

size_t json_string_size(std::string_view text) {
  size_t size = text.size() + 2;
  for (const char c : text) {
    const char escape = escape_of(c);
    if (escape != 0) size += escape == 'u' ? 5 : 1;
  }
  return size;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  size_t plain = 0;  // start of what has not been copied yet
  for (size_t at = 0; at < text.size(); ++at) {
    const char escape = escape_of(text[at]);
    if (escape == 0) continue;
    out.append(text, plain, at - plain);
    plain = at + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      out += "00";
      out += k_hex_digits[text[at] >> 4];
      out += k_hex_digits[text[at] & 15];
    }
  }
  out.append(text, plain);
  out += '"';
}

}  // namespace plugin_common
