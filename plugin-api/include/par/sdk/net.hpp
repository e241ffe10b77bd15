#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <par/sdk/call.hpp>

namespace par {

/// The service "par.net/1" for one call, for libraries that open connections by themselves.
class Net {
 public:
  Net(const par_call* call, const par_net* service) : call_(call), service_(service) {}

  /// Numeric addresses that may be dialled, in the order to try. Throws PAR_POLICY if all are refused,
  /// PAR_RESOLVE if there are none.
  std::vector<std::string> resolve(std::string_view host, uint16_t port) const {
    par_addresses* made = nullptr;
    const par_status status = service_->resolve(call_, to_str(host), port, &made);
    const detail::Owned<par_net, par_addresses, &par_net::release_addresses> addresses(call_, service_, made);
    addresses.check(status);
    std::vector<std::string> result;
    result.reserve(made->count);
    for (size_t at = 0; at < made->count; ++at) result.emplace_back(view(made->addresses[at]));
    return result;
  }

  /// The host's trusted roots as PEM text.
  std::string trust_roots() const {
    par_pem* made = nullptr;
    const par_status status = service_->trust_roots(call_, &made);
    const detail::Owned<par_net, par_pem, &par_net::release_pem> pem(call_, service_, made);
    pem.check(status);
    return std::string(view(made->pem));
  }

 private:
  const par_call* call_;
  const par_net* service_;
};

inline Net Call::net() const {
  return Net(call_, need(services_.net, PAR_NET_SERVICE));
}

}  // namespace par
