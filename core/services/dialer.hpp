#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/services/connect_race.hpp"
#include "core/services/connection.hpp"
#include "core/services/egress.hpp"
#include "core/services/proxies.hpp"
#include "core/services/request_rules.hpp"
#include "core/services/resolver.hpp"
#include "core/services/tls_contexts.hpp"

namespace par::core {

class Log;

/// Which way a request takes. Two requests may share a connection only if their keys are equal.
struct Route {
  std::shared_ptr<const Proxy> proxy;  ///< null: directly
  TlsIdentity tls;
  std::string tls_fingerprint;
  std::string server_name;  ///< name to verify and to send as SNI
  std::string key;

  /// Requests to an http:// URL go to the proxy itself, in absolute form.
  bool through_plain_proxy(const Url& url) const { return proxy && !url.is_https(); }
};

/// Opens connections: chooses the proxy, looks names up, checks every address against the policy before it is
/// dialled, and adds TLS. Thread-safe.
class Dialer {
 public:
  using Redirect = ConnectRace::Redirect;

  Dialer(std::shared_ptr<TrustStore> trust, const ProxySettings& proxies, const Log& log,
         Resolver::Function lookup, Redirect redirect);

  /// How the request gets there. Errors: a proxy that the policy does not allow or that cannot be read.
  HttpResult<Route> route(const HttpRequest& request, const Hop& hop, const EgressPolicy& policy) const;

  /// A new connection for the route, ready for the request. `connect_timeout` is the limit of one attempt
  /// with TLS.
  Task<HttpResult<std::unique_ptr<Connection>>> connect(Waiter& waiter, const Url& url, const Route& route,
                                                        const EgressPolicy& policy,
                                                        Milliseconds connect_timeout, SteadyTime deadline);

  /// The addresses of a host that the policy allows, in the order to try; at least one.
  Task<HttpResult<std::vector<IpAddress>>> addresses(Waiter& waiter, const std::string& host,
                                                     const EgressPolicy& policy, SteadyTime deadline);

 private:
  using Addresses = std::vector<IpAddress>;
  Task<HttpResult<Addresses>> look_up(Waiter& waiter, const std::string& host, SteadyTime until);
  Task<HttpResult<bool>> check_proxied(Waiter& waiter, const std::string& host, const EgressPolicy& policy,
                                       SteadyTime deadline);
  Task<HttpResult<bool>> prepare(Waiter& waiter, Connection& connection, const Url& url, const Route& route,
                                 SteadyTime until);
  Task<HttpResult<bool>> tunnel(Waiter& waiter, Connection& connection, const Url& url, const Proxy& proxy,
                                SteadyTime until);
  Task<HttpResult<bool>> add_tls(Waiter& waiter, Connection& connection, const TlsIdentity& identity,
                                 const std::string& fingerprint, std::string name, SteadyTime until);

  ProxyRules proxies_;
  const Log& log_;
  Resolver resolver_;
  TlsContexts tls_contexts_;
  Redirect redirect_;
  std::atomic<bool> said_proxy_decides_{false};
};

}  // namespace par::core
