#include "core/base/url.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/parse_number.hpp"
#include "core/base/strings.hpp"

namespace par::core {
namespace {

uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

bool is_forbidden(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
}

// No percent-encoding and no letters beyond ASCII: what some software on the way makes of them ("169%2e254",
// or full-width digits) is not what was checked here.
bool is_host_character(char c) {
  return c > 0x20 && c < 0x7f && std::string_view("/?#@[]<>\\^`{|}\"%").find(c) == std::string_view::npos;
}

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);  // starts with '/'
    path.remove_prefix(end);
    if (segment == "/.") {
      if (path.empty()) out += '/';
    } else if (segment == "/..") {
      out.resize(std::min(out.rfind('/'), out.size()));
      if (path.empty()) out += '/';
    } else {
      out += segment;
    }
  }
  return out.empty() ? "/" : out;
}

Result<void> split_authority(std::string_view authority, Url& url) {
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    url.userinfo = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return fail("the IPv6 address in the URL has no closing bracket");
    url.host = to_lower(authority.substr(1, end - 1));
    url.ipv6 = true;
    port = authority.substr(end + 1);
    if (url.host.find_first_not_of("0123456789abcdef:.%") < url.host.find('%')) {
      return fail("the IPv6 address in the URL is malformed");
    }
  } else {
    const size_t colon = authority.find(':');
    url.host = to_lower(authority.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
    if (!std::all_of(url.host.begin(), url.host.end(), is_host_character)) {
      return fail(
          "the host in the URL has a character that no host name has (one with other letters than ASCII "
          "must be written in its form \"xn--...\")");
    }
  }
  if (url.host.empty()) return fail("the URL has no host");
  url.port = default_port(url.scheme);
  if (port.empty() || port == ":") return {};
  port.remove_prefix(1);
  const auto value = parse_number<uint16_t>(port);
  if (value.value_or(0) == 0) {
    return fail("the port in the URL is not a number from 1 to 65535");
  }
  url.port = *value;
  url.has_port = true;
  return {};
}

void split_path(std::string_view rest, Url& url) {
  rest = rest.substr(0, rest.find('#'));
  const size_t question = rest.find('?');
  url.path = rest.substr(0, question);
  if (url.path.empty()) url.path = '/';
  url.has_query = question != std::string_view::npos;
  url.query = url.has_query ? std::string(rest.substr(question + 1)) : std::string();
}

}  // namespace

std::string Url::target() const {
  return has_query ? path + "?" + query : path;
}

std::string Url::authority() const {
  const std::string name = ipv6 ? "[" + host + "]" : host;
  return port == default_port(scheme) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::origin() const {
  return scheme + "://" + authority();
}

std::string Url::text() const {
  return origin() + target();
}

Result<Url> parse_url(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_forbidden)) {
    return fail("the URL has a blank or a control character in it");
  }
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos)
    return fail("not an absolute URL: it must start with http:// or https://");
  Url url;
  url.scheme = to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") {
    return fail("the URL must start with http:// or https://");
  }
  text.remove_prefix(colon + 3);
  const size_t end = std::min(text.find_first_of("/?#"), text.size());
  if (auto split = split_authority(text.substr(0, end), url); !split) return tl::unexpected(split.error());
  split_path(text.substr(end), url);
  return url;
}

Result<Url> resolve_reference(const Url& base, std::string_view given) {
  std::string reference;
  for (const char c : given) {
    // Servers send these as they are, and mean them encoded.
    if (c == ' ' || static_cast<unsigned char>(c) > 0x7f) {
      reference += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else if (is_forbidden(c)) {
      return fail("the redirect's address has a control character in it");
    } else {
      reference += c;
    }
  }
  const size_t colon = reference.find(':');
  const size_t mark = reference.find_first_of("/?#");
  if (colon != std::string_view::npos && colon < mark) return parse_url(reference);
  if (reference.starts_with("//")) return parse_url(base.scheme + ":" + reference);
  Url url = base;
  url.userinfo.clear();
  if (reference.empty() || reference.starts_with('#')) return url;
  if (reference.starts_with('?')) {
    split_path(base.path + reference, url);
    return url;
  }
  const std::string merged =
      reference.starts_with('/') ? reference : base.path.substr(0, base.path.rfind('/') + 1) + reference;
  split_path(merged, url);
  url.path = remove_dot_segments(url.path);
  return url;
}

}  // namespace par::core
