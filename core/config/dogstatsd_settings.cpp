#include "core/config/dogstatsd_settings.hpp"

#include <fmt/format.h>

#include "core/base/strings.hpp"
#include "core/base/url.hpp"
#include "core/config/environment.hpp"

namespace par::core {
namespace {

constexpr size_t k_longest_socket = 107;  // what the system's address structure holds

Result<DogStatsdAddress> at_socket(std::string_view name, std::string_view path) {
  if (!path.starts_with('/') || path.size() > k_longest_socket) {
    return fail(fmt::format("{}: found the socket \"{}\", expected an absolute path of at most {} bytes",
                            name, cut_utf8(path, 120), k_longest_socket));
  }
  DogStatsdAddress address;
  address.socket = path;
  return address;
}

Result<DogStatsdAddress> from_url(std::string_view text) {
  constexpr std::string_view k_name = "DD_DOGSTATSD_URL";
  for (const std::string_view scheme : {"unix://", "unixgram://"}) {
    if (text.starts_with(scheme)) return at_socket(k_name, text.substr(scheme.size()));
  }
  constexpr std::string_view k_udp = "udp://";
  if (!text.starts_with(k_udp)) {
    return fail(
        fmt::format("{}: found \"{}\", expected udp://<host>:<port> or unix://<path of a datagram socket>",
                    k_name, cut_utf8(text, 120)));
  }
  // Behind the scheme it is as with HTTP.
  const auto url = parse_url("http://" + std::string(text.substr(k_udp.size())));
  if (!url) return fail_in(std::string(k_name), url);
  DogStatsdAddress address;
  address.host = url->host;
  if (url->has_port) address.port = url->port;
  return address;
}

}  // namespace

Result<DogStatsdAddress> dogstatsd_address(const Environment& environment) {
  if (const auto url = variable(environment, "DD_DOGSTATSD_URL"); !url.empty()) return from_url(trim(url));
  if (const auto path = variable(environment, "DD_DOGSTATSD_SOCKET"); !path.empty())
    return at_socket("DD_DOGSTATSD_SOCKET", trim(path));
  DogStatsdAddress address;
  if (const auto host = trim(variable(environment, "DD_AGENT_HOST")); !host.empty()) address.host = host;
  if (const auto port = variable(environment, "DD_DOGSTATSD_PORT"); !port.empty()) {
    const auto number = whole_number_of(setting_of_variable("DD_DOGSTATSD_PORT", port), 1, 65535);
    if (!number) return fail("DD_DOGSTATSD_PORT: " + number.error().message);
    address.port = static_cast<uint16_t>(*number);
  }
  return address;
}

}  // namespace par::core
