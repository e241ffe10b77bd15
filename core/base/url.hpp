#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace par::core {

/// An absolute http or https URL, split but never decoded or encoded: what is sent is what was given.
struct Url {
  std::string scheme;     ///< "http" or "https", lower case
  std::string userinfo;   ///< text before '@', still percent-encoded; may hold a password
  std::string host;       ///< lower case; an IPv6 literal without brackets; may carry a zone ("fe80::1%eth0")
  bool ipv6 = false;      ///< the host stood in brackets
  uint16_t port = 0;      ///< given or the scheme's default
  bool has_port = false;  ///< a port was written in the URL
  std::string path;       ///< starts with '/' (an empty path is "/")
  std::string query;      ///< without '?'
  bool has_query = false;

  bool is_https() const { return scheme == "https"; }
  /// Path and query: the target of an origin-form request line.
  std::string target() const;
  /// host[:port] with brackets where needed; the port only if it is not the scheme's default.
  std::string authority() const;
  /// scheme://authority.
  std::string origin() const;
  /// Without user info and fragment.
  std::string text() const;
};

/// Splits `text`. Errors: no scheme or another one, empty or malformed host, port out of range, blanks or
/// control characters anywhere. A fragment is dropped. The error never quotes user info or query.
Result<Url> parse_url(std::string_view text);

/// Resolves a Location header against the URL it came from (RFC 3986 section 5, with dot segments removed).
/// Blanks and bytes beyond ASCII are percent-encoded.
Result<Url> resolve_reference(const Url& base, std::string_view given);

}  // namespace par::core
