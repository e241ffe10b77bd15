#include "extra_vars.hpp"

#include <cstdint>
#include <string_view>

namespace ansible_plugin {
namespace {

void append_hex(std::string& out, uint32_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 15];
}

// Beyond ASCII everything is escaped: YAML does not take every character that JSON takes.
void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length && at + i < text.size(); ++i)
      code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
    at += length;
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code >= 0x20 && code < 0x7F) {
      out += static_cast<char>(code);
    } else if (code <= 0xFF) {
      out += "\\x";
      append_hex(out, code, 2);
    } else if (code <= 0xFFFF) {
      out += "\\u";
      append_hex(out, code, 4);
    } else {
      out += "\\U";
      append_hex(out, code, 8);
    }
  }
  out += '"';
}

// YAML 1.1 reads 1e+21 as a text; it wants a point.
void append_number(std::string& out, const par::json::Value& value) {
  std::string text = par::json::write(value);
  const size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
  out += text;
}

void append(std::string& out, const par::json::Value& value) {
  if (value.IsString()) {
    out += "!unsafe ";
    append_string(out, par::json::text(value));
  } else if (value.IsObject()) {
    out += '{';
    for (const auto& [name, member] : value.GetObject()) {
      if (out.back() != '{') out += ", ";
      append_string(out, par::json::text(name));
      out += ": ";
      append(out, member);
    }
    out += '}';
  } else if (value.IsArray()) {
    out += '[';
    for (const auto& item : value.GetArray()) {
      if (out.back() != '[') out += ", ";
      append(out, item);
    }
    out += ']';
  } else if (value.IsNumber()) {
    append_number(out, value);
  } else {
    out += par::json::write(value);
  }
}

}  // namespace

std::string unsafe_yaml(const par::json::Value& variables) {
  std::string out;
  append(out, variables);
  out += '\n';
  return out;
}

}  // namespace ansible_plugin
