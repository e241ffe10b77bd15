// "par.net/1": the C table over the client's name lookups and the trusted roots.

#include <atomic>

#include <par/net.h>

#include "core/services/host_object.hpp"
#include "core/services/service_tables.hpp"
#include "core/services/trust_store.hpp"

namespace par::core {
namespace {

struct NetService {
  HttpClient& client;
  std::shared_ptr<TrustStore> trust;
  const EgressSettings& egress;
};
std::atomic<NetService*> g_service{nullptr};

struct Addresses : HostObject<par_addresses> {
  std::vector<std::string> texts;
  std::vector<par_str> views;
};

struct Roots : HostObject<par_pem> {
  std::string text;
};

constexpr const char* k_ended = "the runner's network service has ended";

par_status net_resolve(const par_call* call, par_str host, uint16_t port, par_addresses** out) {
  return provide<Addresses>(call, out, PAR_RESOLVE, [&](Addresses& answer, const CallScope& scope) {
    const NetService* const service = g_service;
    if (!service) return answer.fail(PAR_UNSUPPORTED, k_ended);
    if (host.len == 0 || !host.ptr) return answer.fail(PAR_INVALID, "the host name is empty");
    if (view(host).find('\0') != std::string_view::npos)
      return answer.fail(PAR_INVALID, "the host name has a NUL in it");
    const EgressPolicy policy(egress_row(scope.plugin_namespace()), service->egress);
    auto found = service->client.resolve(view(host), port, policy, scope.deadline(), scope.cancelled());
    if (!found) return answer.fail(status_of(found.error().kind, scope), std::move(found.error().message));
    answer.texts = std::move(*found);
    for (const auto& text : answer.texts) answer.views.push_back(to_par_str(text));
    answer.addresses = answer.views.data();
    answer.count = answer.views.size();
    return par_status{PAR_OK};
  });
}

par_status net_trust_roots(const par_call* call, par_pem** out) {
  return provide<Roots>(call, out, PAR_TLS, [&](Roots& answer, const CallScope&) {
    const NetService* const service = g_service;
    if (!service) return answer.fail(PAR_UNSUPPORTED, k_ended);
    auto pem = service->trust->pem();
    if (!pem) return answer.fail(PAR_TLS, std::move(pem.error().message));
    answer.text = std::move(*pem);
    answer.pem = to_par_bytes(answer.text);
    return par_status{PAR_OK};
  });
}

constexpr par_net k_table{
    sizeof(par_net), 0, net_resolve, release_object<par_addresses>, net_trust_roots, release_object<par_pem>};

}  // namespace

const par_net* make_net_service(HttpClient& client, std::shared_ptr<TrustStore> trust,
                                const EgressSettings& egress) {
  delete g_service.exchange(new NetService{client, std::move(trust), egress});
  return &k_table;
}

void end_net_service() {
  delete g_service.exchange(nullptr);
}

}  // namespace par::core
