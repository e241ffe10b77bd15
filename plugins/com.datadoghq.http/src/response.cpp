#include "response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <par/json.hpp>
#include <par/sdk/error.hpp>

#include "headers.hpp"
#include "multipart.hpp"
#include "text.hpp"
#include "url.hpp"

namespace http_plugin {
namespace {

using namespace std::string_view_literals;

constexpr std::array k_encodings = {
    std::pair{"ascii"sv, Encoding::utf8},      std::pair{"utf8"sv, Encoding::utf8},
    std::pair{"utf-8"sv, Encoding::utf8},      std::pair{"binary"sv, Encoding::utf8},
    std::pair{"utf16le"sv, Encoding::utf16le}, std::pair{"ucs2"sv, Encoding::utf16le},
    std::pair{"ucs-2"sv, Encoding::utf16le},   std::pair{"latin1"sv, Encoding::latin1},
    std::pair{"base64"sv, Encoding::base64},   std::pair{"base64url"sv, Encoding::base64url},
    std::pair{"hex"sv, Encoding::hex},
};

Parsing parsing_of(const MediaType& type) {
  if (type.type == "application/json") return Parsing::json;
  if (type.type == "application/x-www-form-urlencoded") return Parsing::form_urlencoded;
  if (type.type == "multipart/form-data") return Parsing::form_data;
  return Parsing::raw;
}

Encoding encoding_of(const MediaType& type, Parsing parsing) {
  if (parsing == Parsing::raw) {
    for (const std::string_view binary : {"video"sv, "image"sv, "audio"sv, "font"sv, "model"sv}) {
      if (type.type.find(binary) != std::string::npos) return Encoding::base64;
    }
    if (type.type == "application/octet-stream") return Encoding::base64;
  }
  const std::string charset = lower(type.parameter("charset"));
  const bool latin1 = charset == "iso-8859-1" || charset == "iso88591" || charset == "iso8859-1";
  return latin1 ? Encoding::latin1 : Encoding::utf8;
}

std::string decode(std::string body, Encoding encoding) {
  switch (encoding) {
    case Encoding::utf8:
      return to_valid_utf8(std::move(body));
    case Encoding::utf16le:
      if (body.size() % 2 != 0) throw par::Error("the response body is not UTF-16: its length is odd");
      return utf16le_to_utf8(body);
    case Encoding::latin1:
      return latin1_to_utf8(body);
    case Encoding::base64:
      return base64(body);
    case Encoding::base64url:
      return base64(body, true);
    case Encoding::hex:
      return hex(body);
  }
  return body;
}

std::string quoted(const std::string& text) {
  std::string result;
  result.reserve(json_string_size(text));
  append_json_string(result, text);
  return result;
}

// The UTF-16 unit of an escape such as \ud800 at `at`, if one stands there.
std::optional<unsigned> escaped_unit(std::string_view json, size_t at) {
  if (json.substr(at, 2) != "\\u" || at + 6 > json.size()) return std::nullopt;
  unsigned unit = 0;
  const auto [end, error] = std::from_chars(json.data() + at + 2, json.data() + at + 6, unit, 16);
  if (error != std::errc() || end != json.data() + at + 6) return std::nullopt;
  return unit;
}

// Where the first escape of a surrogate without its other half stands at or after `at`, or npos.
size_t find_lone_surrogate(std::string_view json, size_t at) {
  const auto is_low = [](unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; };
  for (at = json.find('\\', at); at != std::string_view::npos; at = json.find('\\', at)) {
    const std::optional<unsigned> unit = escaped_unit(json, at);
    if (!unit) {
      at += 2;  // another escape: skip what it escapes
    } else if (*unit >= 0xD800 && *unit <= 0xDBFF) {
      const std::optional<unsigned> next = escaped_unit(json, std::min(at + 6, json.size()));
      if (!next || !is_low(*next)) return at;
      at += 12;
    } else if (is_low(*unit)) {
      return at;
    } else {
      at += 6;
    }
    at = std::min(at, json.size());
  }
  return at;
}

// Such escapes cannot be UTF-8: \ufffd, which is as long, takes their place.
void replace_lone_surrogates(std::string& json, size_t first) {
  for (size_t at = first; at != std::string::npos; at = find_lone_surrogate(json, at + 6)) {
    json.replace(at, 6, "\\ufffd");
  }
}

// One level less than a result may have, since the body stands inside an object.
constexpr unsigned k_body_depth = par::json::k_max_depth - 1;

bool is_json(std::string_view text) {
  rapidjson::BaseReaderHandler<> ignore;
  std::string error;
  return par::json::parse_events(text, ignore, error, k_body_depth);
}

std::string form_object(std::string_view text) {
  std::string result = "{";
  Pairs seen = parse_form(text);
  for (auto at = seen.begin(); at != seen.end(); ++at) {
    const bool first =
        std::none_of(seen.begin(), at, [&](const auto& pair) { return pair.first == at->first; });
    if (!first) continue;
    if (result.size() > 1) result += ',';
    append_json_string(result, to_valid_utf8(at->first));
    result += ':';
    append_json_string(result, to_valid_utf8(at->second));
  }
  return result + "}";
}

}  // namespace

Encoding encoding_named(std::string_view name) {
  for (const auto& [known, encoding] : k_encodings) {
    if (known == name) return encoding;
  }
  std::string list;
  for (const auto& [known, encoding] : k_encodings) list.append(list.empty() ? "" : ", ").append(known);
  throw par::Error("responseEncoding \"" + std::string(name) + "\" is unknown; use one of " + list);
}

Conversion choose_conversion(const MediaType& type, std::string_view parsing, std::string_view encoding) {
  Conversion conversion;
  conversion.parsing = parsing.empty()                ? parsing_of(type)
                       : parsing == "json"            ? Parsing::json
                       : parsing == "form-data"       ? Parsing::form_data
                       : parsing == "form-urlencoded" ? Parsing::form_urlencoded
                                                      : Parsing::raw;
  conversion.asked_encoding = encoding;
  conversion.encoding = encoding.empty() ? encoding_of(type, conversion.parsing) : encoding_named(encoding);
  return conversion;
}

std::string convert_body(std::string body, const MediaType& type, Conversion conversion) {
  if (conversion.parsing == Parsing::form_data) {
    return multipart_json(body, type.parameter("boundary"), conversion.asked_encoding);
  }
  std::string text = decode(std::move(body), conversion.encoding);
  if (conversion.parsing == Parsing::form_urlencoded) return form_object(text);
  if (conversion.parsing == Parsing::json) {
    if (is_json(text)) return text;
    const size_t lone = find_lone_surrogate(text, 0);
    if (lone != std::string::npos) {
      std::string mended = text;
      replace_lone_surrogates(mended, lone);
      if (is_json(mended)) return mended;
    }
  }
  return quoted(text);
}

std::string body_json(std::string body, std::string_view content_type, std::string_view parsing,
                      std::string_view encoding) {
  if (body.empty()) return "\"\"";
  MediaType type;
  if (content_type.empty()) {
    type.type = sniff_media_type(body);
  } else if (!parse_media_type(content_type, type)) {
    throw par::Error("the Content-Type of the response is malformed: \"" +
                     to_valid_utf8(std::string(content_type.substr(0, 200))) + "\"");
  }
  return convert_body(std::move(body), type, choose_conversion(type, parsing, encoding));
}

std::string headers_json(const std::vector<std::pair<std::string_view, std::string_view>>& headers) {
  std::vector<std::pair<std::string, std::string_view>> sorted;
  sorted.reserve(headers.size());
  for (const auto& [name, value] : headers) sorted.emplace_back(canonical_header_name(name), value);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string result = "{";
  for (size_t at = 0; at < sorted.size(); ++at) {
    const bool continues = at > 0 && sorted[at - 1].first == sorted[at].first;
    if (continues) {
      result.back() = ',';  // was the list's ']'
    } else {
      if (at > 0) result += ',';
      append_json_string(result, to_valid_utf8(sorted[at].first));
      result += ":[";
    }
    append_json_string(result, to_valid_utf8(std::string(sorted[at].second)));
    result += ']';
  }
  return result + "}";
}

}  // namespace http_plugin
