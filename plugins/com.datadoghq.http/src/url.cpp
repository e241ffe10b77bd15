#include "url.hpp"

#include <algorithm>

#include <par/sdk/error.hpp>

#include "text.hpp"

namespace http_plugin {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Everything that may stand in a request line; escapes stay as they are.
constexpr std::string_view k_legal_in_path = "!#$%&'()*+,/:;=?@[]";

}  // namespace

Url Url::parse(std::string_view text) {
  text = trim(text);
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127)
      throw par::Error("the URL contains a control character");
  }
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    throw par::Error("the URL is not absolute: it must begin with http:// or https://");
  }
  Url url;
  url.scheme = text.substr(0, scheme_end);
  if (!equal_ignoring_case(url.scheme, "http") && !equal_ignoring_case(url.scheme, "https")) {
    throw par::Error("the URL must begin with http:// or https://");
  }
  std::string_view rest = text.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t query = rest.find('?');
  if (query != std::string_view::npos) {
    url.query = rest.substr(query + 1);
    rest = rest.substr(0, query);
  }
  const size_t path = std::min(rest.find('/'), rest.size());
  url.path = rest.substr(path);
  url.host_port = rest.substr(0, path);
  const size_t at = url.host_port.rfind('@');
  if (at != std::string_view::npos) {
    url.user_info = url.host_port.substr(0, at);
    url.host_port.remove_prefix(at + 1);
  }
  if (url.host_port.empty() || url.host_port.front() == ':') throw par::Error("the URL has no host");
  for (const char c : url.host_port) {
    if (c == ' ' || c == '\\' || c == '"' || c == '<' || c == '>') {
      throw par::Error("the host of the URL contains a character that is not allowed there");
    }
  }
  std::string ignored;
  if (!percent_decode(url.path, false, ignored)) {
    throw par::Error(
        "the path of the URL has a '%' that is not followed by two hex digits; write %25 for '%'");
  }
  return url;
}

bool percent_decode(std::string_view text, bool plus, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '%') {
      const int high = at + 2 < text.size() ? hex_value(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? hex_value(text[at + 2]) : -1;
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high << 4 | low);
      at += 2;
    } else {
      out += plus && c == '+' ? ' ' : c;
    }
  }
  return true;
}

Pairs parse_form(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    std::string key;
    std::string value;
    if (percent_decode(pair.substr(0, equals), true, key) &&
        percent_decode(pair.substr(std::min(equals + 1, pair.size())), true, value)) {
      pairs.emplace_back(std::move(key), std::move(value));
    }
  }
  return pairs;
}

std::string encode_form(Pairs pairs) {
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string result;
  for (const auto& [key, value] : pairs) {
    if (!result.empty()) result += '&';
    plugin_common::append_form_encoded(result, key);
    result += '=';
    plugin_common::append_form_encoded(result, value);
  }
  return result;
}

std::string request_url(const Url& url, const Pairs& added) {
  Pairs pairs = parse_form(url.query);
  pairs.insert(pairs.end(), added.begin(), added.end());
  std::string result;
  result.append(url.scheme).append("://").append(url.host_port);
  plugin_common::append_percent_encoded(result, url.path.empty() ? "/" : url.path, k_legal_in_path);
  const std::string query = encode_form(std::move(pairs));
  if (!query.empty()) result.append("?").append(query);
  return result;
}

void require_same_host(const Url& url, std::string_view base_url) {
  const Url base = [&] {
    try {
      return Url::parse(base_url);
    } catch (const par::Error& error) {
      throw par::Error("the base URL of the connection cannot be used: " + error.message());
    }
  }();
  if (!equal_ignoring_case(url.host_port, base.host_port)) {
    throw par::Error("the request goes to " + std::string(url.host_port) + ", but its connection is for " +
                     std::string(base.host_port) + "; change the URL, or use another connection");
  }
}

std::string basic_credentials(const Url& url) {
  if (url.user_info.empty()) return {};
  const size_t colon = std::min(url.user_info.find(':'), url.user_info.size());
  std::string user;
  std::string password;
  if (!percent_decode(url.user_info.substr(0, colon), false, user) ||
      !percent_decode(url.user_info.substr(std::min(colon + 1, url.user_info.size())), false, password)) {
    throw par::Error("the user name or password in the URL has a malformed percent escape");
  }
  return user + ":" + password;
}

}  // namespace http_plugin
