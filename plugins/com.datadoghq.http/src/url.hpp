#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http_plugin {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// An absolute http or https URL in its parts, each as it was written.
struct Url {
  std::string_view scheme;
  std::string_view user_info;  ///< without '@'; may hold a password
  std::string_view host_port;
  std::string_view path;   ///< from the first '/', or empty
  std::string_view query;  ///< without '?'

  /// Views into `text`. Throws par::Error, which never quotes the URL: it may hold secrets.
  static Url parse(std::string_view text);
};

/// Pairs of a form-encoded text. Pairs that are malformed or hold a ';' are left out.
Pairs parse_form(std::string_view text);
/// Form encoding (space becomes '+'), sorted by key; equal keys keep their order.
std::string encode_form(Pairs pairs);
/// Decodes %XX, and '+' if `plus` is set; false if an escape is malformed.
bool percent_decode(std::string_view text, bool plus, std::string& out);

/// The URL to request: `url` with its own query, then `added`, all encoded anew and sorted. User info and
/// fragment are left out. Throws par::Error.
std::string request_url(const Url& url, const Pairs& added);

/// Throws par::Error unless both URLs have equal text for host and port.
void require_same_host(const Url& url, std::string_view base_url);

/// `username:password` of the URL's user info, decoded; empty if there is none.
std::string basic_credentials(const Url& url);

}  // namespace http_plugin
