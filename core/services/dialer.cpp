#include "core/services/dialer.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "core/services/response_parser.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

// How long a request waits to learn whether a name that the proxy will resolve is a forbidden one. Networks
// whose only way out is a proxy often cannot resolve outside names, and say so slowly.
constexpr std::chrono::seconds k_proxied_lookup_limit{2};

tl::unexpected<HttpError> http_fail(HttpFailure kind, std::string message) {
  return tl::unexpected(HttpError{kind, std::move(message)});
}

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

// A literal in a URL writes the '%' before a zone as "%25".
std::optional<IpAddress> literal_address(const std::string& host) {
  const size_t zone = host.find("%25");
  if (zone == std::string::npos) return IpAddress::parse(host);
  return IpAddress::parse(host.substr(0, zone + 1) + host.substr(zone + 3));
}

std::string host_and_port(const Url& url) {
  return url.ipv6 ? fmt::format("[{}]:{}", url.host, url.port) : fmt::format("{}:{}", url.host, url.port);
}

}  // namespace

Dialer::Dialer(std::shared_ptr<TrustStore> trust, const ProxySettings& proxies, const Log& log,
               Resolver::Function lookup, Redirect redirect)
    : proxies_(proxies),
      log_(log),
      resolver_(std::move(lookup)),
      tls_contexts_(std::move(trust)),
      redirect_(std::move(redirect)) {}

HttpResult<Route> Dialer::route(const HttpRequest& request, const Hop& hop,
                                const EgressPolicy& policy) const {
  Route route;
  if (!request.proxy.empty() && !policy.row().proxy_per_request) {
    return http_fail(HttpFailure::policy, "actions of this integration may not choose a proxy");
  }
  if (hop.at_origin && !request.proxy.empty()) {
    auto proxy = parse_proxy(request.proxy);
    if (!proxy) return http_fail(HttpFailure::invalid, proxy.error().message);
    route.proxy = std::make_shared<Proxy>(std::move(*proxy));
  } else {
    const auto chosen = proxies_.choose(hop.url);
    if (!chosen) return http_fail(HttpFailure::connect, chosen.error().message);
    route.proxy = std::shared_ptr<const Proxy>(std::shared_ptr<void>(), *chosen);  // owned by the rules
  }
  route.key = fmt::format("{} {} {}", hop.url.scheme, host_and_port(hop.url), fmt::ptr(&policy.row()));
  if (route.proxy) {
    route.key += fmt::format(" via {} {} {}", route.proxy->url.scheme, host_and_port(route.proxy->url),
                             route.proxy->authorization);
  }
  if (!hop.url.is_https()) return route;
  route.tls.ca_pem = request.ca_pem;
  route.tls.verify = request.verify_certificate;
  route.server_name = hop.url.host;
  if (hop.at_origin) {
    route.tls.certificate_pem = request.client_certificate_pem;
    route.tls.key_pem = request.client_key_pem;
    if (!request.server_name.empty()) route.server_name = request.server_name;
  }
  route.tls_fingerprint = route.tls.fingerprint();
  route.key += fmt::format(" tls {} {}", route.tls_fingerprint, route.server_name);
  return route;
}

Task<HttpResult<Dialer::Addresses>> Dialer::look_up(Waiter& waiter, const std::string& host,
                                                    SteadyTime until) {
  if (waiter.cancelled()) {
    co_return http_fail(HttpFailure::cancelled, fmt::format("cancelled before resolving host '{}'", host));
  }
  if (const auto address = literal_address(host)) co_return Addresses{*address};
  const auto lookup = resolver_.start(host, [&waiter] { waiter.wake(); });
  for (;;) {
    if (const auto* result = lookup->result()) {
      if (!*result) co_return http_fail(HttpFailure::resolve, result->error().message);
      co_return **result;
    }
    const WaitEnd end = co_await waiter.woken(until);
    if (end == WaitEnd::cancelled) {
      co_return http_fail(HttpFailure::cancelled, fmt::format("cancelled while resolving host '{}'", host));
    }
    if (end == WaitEnd::timeout) {
      co_return http_fail(HttpFailure::deadline,
                          fmt::format("time limit reached while resolving host '{}'", host));
    }
  }
}

Task<HttpResult<Dialer::Addresses>> Dialer::addresses(Waiter& waiter, const std::string& host,
                                                      const EgressPolicy& policy, SteadyTime deadline) {
  auto found = co_await look_up(waiter, host, deadline);
  if (!found) co_return found;
  std::string refusal;
  std::erase_if(*found, [&](const IpAddress& address) {
    const auto allowed = policy.check_address(address.text());
    if (!allowed) refusal = allowed.error().message;
    return !allowed;
  });
  if (found->empty()) co_return http_fail(HttpFailure::policy, fmt::format("host '{}': {}", host, refusal));
  co_return found;
}

Task<HttpResult<bool>> Dialer::check_proxied(Waiter& waiter, const std::string& host,
                                             const EgressPolicy& policy, SteadyTime deadline) {
  if (!policy.checks_addresses()) co_return true;
  auto found = co_await look_up(waiter, host, std::min(deadline, now() + k_proxied_lookup_limit));
  if (!found) {
    const HttpFailure kind = found.error().kind;
    if (kind == HttpFailure::cancelled || (kind == HttpFailure::deadline && now() >= deadline)) {
      co_return tl::unexpected(found.error());
    }
    if (!said_proxy_decides_.exchange(true)) {
      log_.info(
          "a host that does not resolve here goes through the proxy, which decides whether it may be reached",
          {{"host", host}});
    }
    co_return true;
  }
  for (const auto& address : *found) {
    const auto allowed = policy.check_address(address.text());
    if (!allowed)
      co_return http_fail(HttpFailure::policy, fmt::format("host '{}': {}", host, allowed.error().message));
  }
  co_return true;
}

Task<HttpResult<bool>> Dialer::add_tls(Waiter& waiter, Connection& connection, const TlsIdentity& identity,
                                       const std::string& fingerprint, std::string name, SteadyTime until) {
  auto context = tls_contexts_.get(identity, fingerprint);
  if (!context) co_return http_fail(HttpFailure::tls, context.error().message);
  auto started = co_await connection.start_tls(waiter, *context, std::move(name), identity, until);
  co_return started;
}

Task<HttpResult<bool>> Dialer::tunnel(Waiter& waiter, Connection& connection, const Url& url,
                                      const Proxy& proxy, SteadyTime until) {
  const std::string target = host_and_port(url);
  std::string request = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", target, target);
  if (!proxy.authorization.empty()) request += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  request += "\r\n";
  const std::array<std::string_view, 1> parts{request};
  uint64_t sent = 0;
  const auto written = co_await connection.write(waiter, parts, until, sent);
  if (!written) co_return tl::unexpected(written.error());

  ResponseParser parser(true);
  std::string answer;
  std::array<char, 4096> piece{};
  while (!parser.head_done()) {
    const auto got = co_await connection.read(waiter, piece.data(), piece.size(), until);
    if (!got) co_return tl::unexpected(got.error());
    if (*got == 0) {
      co_return http_fail(
          HttpFailure::connect,
          fmt::format("proxy {} closed the connection without an answer", proxy.url.authority()));
    }
    answer.append(piece.data(), *got);
    const StatusLine line = parser.begun() ? StatusLine::fine : look_at_status_line(answer);
    if (line == StatusLine::lacks_blank) answer.insert(k_status_blank, 1, ' ');
    if (line == StatusLine::incomplete) continue;
    const auto step = parser.feed(answer);
    if (!step)
      co_return http_fail(step.error().kind,
                          fmt::format("proxy {}: {}", proxy.url.authority(), step.error().message));
    answer.erase(0, step->consumed);
  }
  const auto& head = parser.head();
  if (head.status < 200 || head.status > 299) {
    co_return http_fail(
        HttpFailure::connect,
        fmt::format("proxy {} refused to connect to {}: {} {}{}", proxy.url.authority(), target, head.status,
                    head.reason,
                    head.status == 407 ? " (user name and password belong into the proxy's URL)" : ""));
  }
  if (!answer.empty()) {
    co_return http_fail(HttpFailure::protocol,
                        fmt::format("proxy {} sent bytes behind its answer", proxy.url.authority()));
  }
  co_return true;
}

// All that a TCP connection still lacks: TLS with the proxy, the way through it, TLS with the server.
Task<HttpResult<bool>> Dialer::prepare(Waiter& waiter, Connection& connection, const Url& url,
                                       const Route& route, SteadyTime until) {
  HttpResult<bool> done = true;
  if (route.proxy && route.proxy->url.is_https()) {
    const TlsIdentity trusting_roots;
    const std::string fingerprint = trusting_roots.fingerprint();
    done = co_await add_tls(waiter, connection, trusting_roots, fingerprint, route.proxy->url.host, until);
  }
  if (done && route.proxy && url.is_https()) {
    done = co_await tunnel(waiter, connection, url, *route.proxy, until);
    if (done) connection.set_peer(url.authority() + " through " + connection.peer());
  }
  if (done && url.is_https()) {
    done = co_await add_tls(waiter, connection, route.tls, route.tls_fingerprint, route.server_name, until);
  }
  co_return done;
}

Task<HttpResult<std::unique_ptr<Connection>>> Dialer::connect(Waiter& waiter, const Url& url,
                                                              const Route& route, const EgressPolicy& policy,
                                                              Milliseconds connect_timeout,
                                                              SteadyTime deadline) {
  if (route.proxy) {
    auto allowed = co_await check_proxied(waiter, url.host, policy, deadline);
    if (!allowed) co_return tl::unexpected(allowed.error());
  }
  // The policy is about the target: a proxy of the operator may be anywhere.
  const EgressPolicy rules = route.proxy ? EgressPolicy::unrestricted() : policy;
  const Url& first = route.proxy ? route.proxy->url : url;
  auto found = co_await addresses(waiter, first.host, rules, deadline);
  if (!found) co_return tl::unexpected(found.error());
  ConnectRace race(std::move(*found),
                   {route.key, (route.proxy ? "proxy " : "") + first.authority(), first.host, first.port},
                   redirect_, connect_timeout, deadline);
  for (;;) {
    auto winner = co_await race.next(waiter);
    if (!winner) co_return tl::unexpected(winner.error());
    auto ready = co_await prepare(waiter, *winner->connection, url, route, winner->until);
    if (ready) co_return std::move(winner->connection);
    if (!race.failed(std::move(ready.error()), winner->until)) co_return tl::unexpected(race.last_error());
  }
}

}  // namespace par::core
