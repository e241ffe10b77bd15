#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "media_type.hpp"

namespace http_plugin {

enum class Parsing { raw, json, form_data, form_urlencoded };
enum class Encoding { utf8, utf16le, latin1, base64, base64url, hex };

/// How a body becomes a value of the output.
struct Conversion {
  Parsing parsing = Parsing::raw;
  Encoding encoding = Encoding::utf8;
  std::string_view asked_encoding;  ///< responseEncoding; it holds for the parts of a form, too
};

/// The encoding of that name. Throws par::Error if there is none.
Encoding encoding_named(std::string_view name);

/// From the inputs `responseParsing` and `responseEncoding` (empty: not given), else from the media type.
/// Throws par::Error for an encoding that does not exist.
Conversion choose_conversion(const MediaType& type, std::string_view parsing, std::string_view encoding);

/// `body` of type `type` as a JSON value, in valid UTF-8. It is taken over, so that a large one exists once:
/// JSON passes through unchanged. Throws par::Error if it cannot be converted.
std::string convert_body(std::string body, const MediaType& type, Conversion conversion);

/// The body of an answer as a JSON value; an empty one is "". `content_type` is the header's value, empty if
/// there is none: the type is then guessed. `parsing` and `encoding` are as in choose_conversion. Throws
/// par::Error also for a malformed content type.
std::string body_json(std::string body, std::string_view content_type, std::string_view parsing,
                      std::string_view encoding);

/// Headers as (name, value) in wire order -> a JSON object of lists, names in canonical spelling, sorted.
std::string headers_json(const std::vector<std::pair<std::string_view, std::string_view>>& headers);

}  // namespace http_plugin
