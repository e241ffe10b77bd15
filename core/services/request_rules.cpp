#include "core/services/request_rules.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr std::array<bool, 256> k_token_characters = [] {
  std::array<bool, 256> allowed{};
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    allowed[c] = true;
  return allowed;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return k_token_characters[static_cast<uint8_t>(c)]; });
}

bool ends_line(char c) {
  return c == '\r' || c == '\n' || c == '\0';
}

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](auto other) { return equals_ignoring_case(name, other); });
}

tl::unexpected<HttpError> invalid(std::string message) {
  return tl::unexpected(HttpError{HttpFailure::invalid, std::move(message)});
}

void drop_headers(Hop& hop, std::initializer_list<std::string_view> names) {
  std::erase_if(hop.headers, [&](const HttpHeader& header) { return is_any_of(header.name, names); });
}

bool is_host_or_below(std::string_view host, std::string_view first) {
  if (host == first) return true;
  return host.size() > first.size() && host.ends_with(first) && host[host.size() - first.size() - 1] == '.';
}

}  // namespace

Result<void, HttpError> check_request(const HttpRequest& request) {
  if (!is_token(request.method))
    return invalid("the HTTP method is not a token of letters, digits and !#$%&'*+-.^_`|~");
  if (equals_ignoring_case(request.method, "CONNECT"))
    return invalid("the HTTP method CONNECT cannot be used");
  for (const auto& header : request.headers) {
    if (!is_token(header.name))
      return invalid("the name of a header is empty or has a character that it may not have");
    if (is_any_of(header.name, {"Host", "Content-Length", "Transfer-Encoding", "Connection"})) {
      return invalid(fmt::format("the header '{}' is set by the runner and cannot be given", header.name));
    }
    if (std::any_of(header.value.begin(), header.value.end(), ends_line)) {
      return invalid(fmt::format("the value of header '{}' has a CR, LF or NUL in it", header.name));
    }
  }
  return {};
}

const HttpHeader* find_header(const std::vector<HttpHeader>& headers, std::string_view name) {
  const auto at = std::find_if(headers.begin(), headers.end(), [&](const HttpHeader& header) {
    return equals_ignoring_case(header.name, name);
  });
  return at == headers.end() ? nullptr : &*at;
}

const HttpHeader* redirect_location(const HttpResponseHead& head) {
  constexpr std::array k_followed{301, 302, 303, 307, 308};
  if (std::find(k_followed.begin(), k_followed.end(), head.status) == k_followed.end()) return nullptr;
  return find_header(head.headers, "Location");
}

Result<void, HttpError> follow(Hop& hop, const std::string& first_host, int status,
                               std::string_view location) {
  auto next = resolve_reference(hop.url, location);
  if (!next) {
    return tl::unexpected(HttpError{
        HttpFailure::protocol,
        fmt::format("the redirect from {} cannot be followed: {}", hop.url.origin(), next.error().message)});
  }
  if (next->origin() != hop.url.origin()) hop.at_origin = false;
  const bool leaves_tls = hop.url.is_https() && !next->is_https();
  if (leaves_tls || !is_host_or_below(next->host, first_host)) hop.credentials = false;
  if (!hop.credentials) drop_headers(hop, {"Authorization", "Cookie", "Cookie2", "Www-Authenticate"});
  if (status <= 303 && hop.method != "GET" && hop.method != "HEAD") {
    hop.method = "GET";
    hop.has_body = false;
    drop_headers(hop, {"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"});
  }
  hop.url = std::move(*next);
  return {};
}

}  // namespace par::core
