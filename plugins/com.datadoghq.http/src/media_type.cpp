#include "media_type.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace http_plugin {
namespace {

// Takes a token or a quoted string off the front of `text`.
bool take_value(std::string_view& text, std::string& value) {
  value.clear();
  if (text.empty() || text.front() != '"') {
    const size_t end = std::min(text.find_first_of("; \t"), text.size());
    value = text.substr(0, end);
    text.remove_prefix(end);
    return is_token(value);
  }
  for (size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return true;
    }
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    value += text[at];
  }
  return false;
}

bool is_type(std::string_view type) {
  const size_t slash = type.find('/');
  if (slash == std::string_view::npos) return is_token(type);
  return is_token(type.substr(0, slash)) && is_token(type.substr(slash + 1));
}

struct Signature {
  size_t offset;
  std::string_view bytes;
  std::string_view type;
};

using namespace std::string_view_literals;

constexpr std::array k_signatures = {
    Signature{0, "GIF87a"sv, "image/gif"sv},
    Signature{0, "GIF89a"sv, "image/gif"sv},
    Signature{0, "\x89PNG\r\n\x1A\n"sv, "image/png"sv},
    Signature{0, "\xFF\xD8\xFF"sv, "image/jpeg"sv},
    Signature{0, "BM"sv, "image/bmp"sv},
    Signature{8, "WEBPVP"sv, "image/webp"sv},
    Signature{0, "\0\0\1\0"sv, "image/x-icon"sv},
    Signature{0, "\0\0\2\0"sv, "image/x-icon"sv},
    Signature{0, "ID3"sv, "audio/mpeg"sv},
    Signature{0, ".snd"sv, "audio/basic"sv},
    Signature{0, "MThd\0\0\0\6"sv, "audio/midi"sv},
    Signature{8, "AIFF"sv, "audio/aiff"sv},
    Signature{8, "WAVE"sv, "audio/wave"sv},
    Signature{8, "AVI "sv, "video/avi"sv},
    Signature{4, "ftypmp4"sv, "video/mp4"sv},
    Signature{4, "ftypisom"sv, "video/mp4"sv},
    Signature{0, "\x1A\x45\xDF\xA3"sv, "video/webm"sv},
    Signature{0, "\0\1\0\0"sv, "font/ttf"sv},
    Signature{0, "OTTO"sv, "font/otf"sv},
    Signature{0, "ttcf"sv, "font/collection"sv},
    Signature{0, "wOFF"sv, "font/woff"sv},
    Signature{0, "wOF2"sv, "font/woff2"sv},
    Signature{0, "OggS\0"sv, "application/ogg"sv},
    Signature{0, "%PDF-"sv, "application/pdf"sv},
    Signature{0, "PK\3\4"sv, "application/zip"sv},
    Signature{0, "\x1F\x8B\x08"sv, "application/x-gzip"sv},
    Signature{0, "Rar!\x1A\x07"sv, "application/x-rar-compressed"sv},
    Signature{0, "\0asm"sv, "application/wasm"sv},
    Signature{0, "\xFE\xFF"sv, "text/plain"sv},
    Signature{0, "\xFF\xFE"sv, "text/plain"sv},
    Signature{0, "\xEF\xBB\xBF"sv, "text/plain"sv},
};

bool is_binary(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 8 || byte == 0x0B || (byte >= 0x0E && byte <= 0x1A) || (byte >= 0x1C && byte <= 0x1F);
}

}  // namespace

std::string_view MediaType::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

bool parse_media_type(std::string_view text, MediaType& result) {
  const size_t semicolon = std::min(text.find(';'), text.size());
  result.type = lower(trim(text.substr(0, semicolon)));
  if (!is_type(result.type)) return false;
  text.remove_prefix(semicolon);
  for (;;) {
    text = trim(text);
    if (text.empty()) return true;
    if (text.front() != ';') return false;
    text = trim(text.substr(1));
    if (text.empty()) return true;  // a closing ';' is common
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) return false;
    std::string name = lower(trim(text.substr(0, equals)));
    text = trim(text.substr(equals + 1));
    std::string value;
    if (!is_token(name) || !take_value(text, value)) return false;
    // Said twice is fine, said differently is not.
    const std::string_view known = result.parameter(name);
    if (!known.empty() && known != value) return false;
    if (known.empty()) result.parameters.emplace_back(std::move(name), std::move(value));
  }
}

std::string_view sniff_media_type(std::string_view bytes) {
  bytes = bytes.substr(0, 512);
  for (const Signature& signature : k_signatures) {
    if (bytes.size() >= signature.offset + signature.bytes.size() &&
        bytes.compare(signature.offset, signature.bytes.size(), signature.bytes) == 0) {
      return signature.type;
    }
  }
  return std::any_of(bytes.begin(), bytes.end(), is_binary) ? "application/octet-stream" : "text/plain";
}

}  // namespace http_plugin
