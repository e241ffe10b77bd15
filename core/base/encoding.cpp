#include "core/base/encoding.hpp"

#include <array>
#include <cstdint>

namespace par::core {
namespace {

constexpr std::string_view k_standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view k_url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view k_lower_hex = "0123456789abcdef";
constexpr std::string_view k_upper_hex = "0123456789ABCDEF";

std::string encode64(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  size_t at = 0;
  const auto byte = [&](size_t index) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[index])); };
  for (; at + 3 <= bytes.size(); at += 3) {
    const uint32_t group = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    out += alphabet[group >> 18];
    out += alphabet[group >> 12 & 63];
    out += alphabet[group >> 6 & 63];
    out += alphabet[group & 63];
  }
  const size_t rest = bytes.size() - at;
  if (rest == 1) {
    out += alphabet[byte(at) >> 2];
    out += alphabet[(byte(at) & 3) << 4];
    if (pad) out += "==";
  } else if (rest == 2) {
    const uint32_t group = byte(at) << 8 | byte(at + 1);
    out += alphabet[group >> 10];
    out += alphabet[group >> 4 & 63];
    out += alphabet[(group & 15) << 2];
    if (pad) out += '=';
  }
  return out;
}

constexpr uint8_t k_foreign = 0xff;

// Value of each character in either alphabet.
constexpr std::array<uint8_t, 256> k_values = [] {
  std::array<uint8_t, 256> values{};
  values.fill(k_foreign);
  for (uint8_t i = 0; i < 64; ++i) {
    values[static_cast<uint8_t>(k_standard[i])] = i;
    values[static_cast<uint8_t>(k_url[i])] = i;
  }
  return values;
}();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  return encode64(bytes, k_standard, true);
}
std::string base64url_encode(std::string_view bytes) {
  return encode64(bytes, k_url, false);
}

std::optional<std::string> base64_decode(std::string_view text) {
  const size_t padded = text.size();
  while (!text.empty() && text.back() == '=' && padded - text.size() < 2) text.remove_suffix(1);
  if (padded != text.size() && padded % 4 != 0) return std::nullopt;
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out(text.size() / 4 * 3 + 2, '\0');
  size_t size = 0;
  uint32_t bits = 0;
  int count = 0;
  bool standard = false;
  bool url = false;
  for (const char c : text) {
    const uint8_t value = k_values[static_cast<uint8_t>(c)];
    if (value == k_foreign) return std::nullopt;
    if (value >= 62) (c == '+' || c == '/' ? standard : url) = true;
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out[size++] = static_cast<char>(bits >> count & 0xff);
    }
  }
  if (standard && url) return std::nullopt;
  out.resize(size);
  // Bits left over must be zero, else two texts would mean the same bytes.
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return out;
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += k_lower_hex[static_cast<uint8_t>(c) >> 4];
    out += k_lower_hex[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (size_t at = 0; at < text.size(); at += 2) {
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved || keep.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += k_upper_hex[static_cast<uint8_t>(c) >> 4];
      out += k_upper_hex[static_cast<uint8_t>(c) & 15];
    }
  }
  return out;
}

bool is_utf8(std::string_view text) {
  size_t at = 0;
  const auto byte = [&](size_t index) { return static_cast<uint8_t>(text[index]); };
  while (at < text.size()) {
    const uint8_t lead = byte(at);
    size_t length = 1;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (lead < 0x80) {
      ++at;
      continue;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (text.size() - at < length) return false;
    if (byte(at + 1) < low || byte(at + 1) > high) return false;
    for (size_t i = 2; i < length; ++i) {
      if (byte(at + i) < 0x80 || byte(at + i) > 0xbf) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace par::core
