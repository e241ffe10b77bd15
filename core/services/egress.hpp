#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace par::core {

class HostAllowlist;
struct IpAddress;

/// What one plugin namespace may reach. The rows are fixed in the host (egress.cpp); no plugin can widen its
/// own.
struct EgressRow {
  bool host_allowlist = true;          ///< the operator's `allowlist` of hosts applies, on every hop
  bool metadata_block = true;          ///< cloud metadata addresses are refused
  bool imds_option = false;            ///< ... unless allowIMDSEndpoint is set
  bool datadog_headers = false;        ///< Sec-Datadog of the signed task and User-Agent: Datadog are added
  bool same_origin_redirects = false;  ///< redirects to another origin are refused
  bool proxy_per_request = false;      ///< the plugin may name a proxy
};

/// The row of a namespace; the strictest for those that have none of their own.
const EgressRow& egress_row(std::string_view plugin_namespace);

/// The operator's settings that the rows refer to.
struct EgressSettings {
  bool allow_imds_endpoint = false;
  std::shared_ptr<const HostAllowlist> host_allowlist;  ///< null: every host is allowed
};

/// The rules for one request: a row with the operator's settings. The control plane uses unrestricted().
class EgressPolicy {
 public:
  EgressPolicy(const EgressRow& row, const EgressSettings& settings) : row_(&row), settings_(&settings) {}
  static EgressPolicy unrestricted() { return EgressPolicy(); }

  /// May a request be sent to this host? The error says which setting forbids it. An address in any spelling
  /// that somebody on the way might understand (with a zone, with a dot at the end, as one number, in octal)
  /// is checked as one here already: a proxy may resolve what this machine does not.
  Result<void> check_host(std::string_view host) const;
  /// May a connection be opened to this numeric address? IPv6 forms of an IPv4 address count as that (see
  /// IpAddress::normalised), and a zone id is ignored.
  Result<void> check_address(std::string_view numeric_address) const;
  /// False if check_address() allows everything.
  bool checks_addresses() const;
  const EgressRow& row() const;

 private:
  EgressPolicy() = default;
  Result<void> check_metadata(const IpAddress& address, std::string_view as_given) const;
  const EgressRow* row_ = nullptr;  ///< null: unrestricted
  const EgressSettings* settings_ = nullptr;
};

}  // namespace par::core
