#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http_plugin {

/// A Content-Type: type and parameter names in small letters.
struct MediaType {
  std::string type;
  std::vector<std::pair<std::string, std::string>> parameters;

  /// Value of a parameter, empty if it is absent.
  std::string_view parameter(std::string_view name) const;
};

/// Reads a header value such as `text/html; charset="utf-8"`. False if it is malformed.
bool parse_media_type(std::string_view text, MediaType& result);

/// What the first bytes of a body look like, as browsers guess it (only as far as it decides between text and
/// binary data).
std::string_view sniff_media_type(std::string_view bytes);

}  // namespace http_plugin
