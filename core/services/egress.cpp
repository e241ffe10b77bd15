#include "core/services/egress.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "core/policy/host_allowlist.hpp"
#include "core/services/ip_address.hpp"

namespace par::core {
namespace {

constexpr EgressRow k_strictest{};
constexpr EgressRow k_http{.imds_option = true, .datadog_headers = true};
constexpr EgressRow k_jenkins{.host_allowlist = false};
constexpr EgressRow k_kubernetes{.host_allowlist = false,
                                 .metadata_block = false,
                                 .same_origin_redirects = true,
                                 .proxy_per_request = true};
constexpr EgressRow k_unrestricted{
    .host_allowlist = false, .metadata_block = false, .proxy_per_request = true};

// The addresses at which clouds hand out credentials to whoever asks.
bool is_metadata_address(const IpAddress& address) {
  static const std::array k_addresses{*IpAddress::parse("169.254.169.254"),
                                      *IpAddress::parse("fd00:ec2::254")};
  return std::find(k_addresses.begin(), k_addresses.end(), address.normalised()) != k_addresses.end();
}

// The address that a host spells, if it does: also with a zone that this machine does not know, with a dot at
// the end, and in the forms of old ("2852039166", "0xa9.0xfe.43518").
std::optional<IpAddress> spelled_address(std::string_view host) {
  host = host.substr(0, host.find('%'));
  while (host.ends_with('.')) host.remove_suffix(1);
  if (auto address = IpAddress::parse(host)) return address;
  in_addr old_form{};
  if (inet_aton(std::string(host).c_str(), &old_form) == 0) return std::nullopt;
  IpAddress address;
  std::memcpy(address.bytes.data(), &old_form, sizeof old_form);
  return address;
}

}  // namespace

const EgressRow& egress_row(std::string_view plugin_namespace) {
  if (plugin_namespace == "com.datadoghq.http") return k_http;
  if (plugin_namespace == "com.datadoghq.jenkins") return k_jenkins;
  if (plugin_namespace.starts_with("com.datadoghq.kubernetes.")) return k_kubernetes;
  return k_strictest;
}

const EgressRow& EgressPolicy::row() const {
  return row_ ? *row_ : k_unrestricted;
}

bool EgressPolicy::checks_addresses() const {
  return row().metadata_block && !(row().imds_option && settings_->allow_imds_endpoint);
}

Result<void> EgressPolicy::check_host(std::string_view host) const {
  if (row().host_allowlist && settings_->host_allowlist && !settings_->host_allowlist->allows(host)) {
    return fail(
        fmt::format("host '{}' is not allowed: no pattern of the runner's `allowlist` matches it; "
                    "add it there if this host should be reachable",
                    host));
  }
  if (!checks_addresses()) return {};
  const auto address = spelled_address(host);
  return address ? check_metadata(*address, host) : Result<void>();
}

Result<void> EgressPolicy::check_address(std::string_view numeric_address) const {
  if (!checks_addresses()) return {};
  const auto address = IpAddress::parse(numeric_address);
  if (!address) return fail(fmt::format("'{}' is not a numeric address", numeric_address));
  return check_metadata(*address, numeric_address);
}

Result<void> EgressPolicy::check_metadata(const IpAddress& address, std::string_view as_given) const {
  if (!is_metadata_address(address)) return {};
  return fail(fmt::format(
      "address {} is refused: it is a cloud metadata endpoint, which gives out credentials{}", as_given,
      row().imds_option
          ? "; set `allowIMDSEndpoint: true` in the runner's configuration to permit it"
          : "; actions of this integration may never reach it (`allowIMDSEndpoint` opens it for "
            "HTTP requests only)"));
}

}  // namespace par::core
