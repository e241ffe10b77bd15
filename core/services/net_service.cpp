// "par.net/1": the C table over the client's name lookups and the trusted roots.

#include <atomic>
#include <exception>

#include <par/net.h>

#include "core/services/call_scope.hpp"
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

// What a plugin holds as par_addresses or par_pem, which is the first member.
template <typename Shown>
struct Held {
  Shown shown{};
  std::string failure_text;
  std::vector<std::string> texts;
  std::vector<par_str> views;

  Held() { shown.struct_size = sizeof(Shown); }
  par_status fail(par_status status, std::string text) {
    failure_text = std::move(text);
    shown.failure = status;
    shown.failure_text = to_par_str(failure_text);
    return status;
  }
};

template <typename Shown>
Shown* no_call_object() {
  static Shown object = [] {
    Shown made{};
    made.struct_size = sizeof made;
    made.failure = PAR_INVALID;
    made.failure_text = to_par_str("the call is a null pointer");
    return made;
  }();
  return &object;
}

// Runs `fill(held, scope, service)` on a new object that belongs to the call, and shows it in any case.
template <typename Shown, typename Fill>
par_status provide(const par_call* call, Shown** out, Fill fill) {
  if (!out) return PAR_INVALID;
  *out = no_call_object<Shown>();
  if (!call || !call->host_data) return PAR_INVALID;
  try {
    auto& scope = CallScope::of(call);
    auto held = std::make_shared<Held<Shown>>();
    scope.keep(held);
    *out = &held->shown;
    const NetService* service = g_service;
    if (!service) return held->fail(PAR_UNSUPPORTED, "the runner's network service has ended");
    return fill(*held, scope, *service);
  } catch (const std::exception&) {
    return PAR_RESOLVE;  // out of memory
  }
}

par_status net_resolve(const par_call* call, par_str host, uint16_t port, par_addresses** out) {
  return provide(
      call, out, [&](Held<par_addresses>& held, const CallScope& scope, const NetService& service) {
        if (host.len == 0 || !host.ptr) return held.fail(PAR_INVALID, "the host name is empty");
        if (view(host).find('\0') != std::string_view::npos)
          return held.fail(PAR_INVALID, "the host name has a NUL in it");
        const EgressPolicy policy(egress_row(scope.plugin_namespace()), service.egress);
        auto found = service.client.resolve(view(host), port, policy, scope.deadline(), scope.cancelled());
        if (!found) return held.fail(status_of(found.error().kind, scope), std::move(found.error().message));
        held.texts = std::move(*found);
        for (const auto& text : held.texts) held.views.push_back(to_par_str(text));
        held.shown.addresses = held.views.data();
        held.shown.count = held.views.size();
        return par_status{PAR_OK};
      });
}

par_status net_trust_roots(const par_call* call, par_pem** out) {
  return provide(call, out, [&](Held<par_pem>& held, const CallScope&, const NetService& service) {
    auto pem = service.trust->pem();
    if (!pem) return held.fail(PAR_TLS, std::move(pem.error().message));
    held.texts.push_back(std::move(*pem));
    held.shown.pem = to_par_bytes(held.texts.front());
    return par_status{PAR_OK};
  });
}

template <typename Shown>
void net_release(const par_call* call, Shown* object) {
  if (call && call->host_data && object) CallScope::of(call).drop(object);
}

constexpr par_net k_table{sizeof(par_net),     0, net_resolve, net_release<par_addresses>, net_trust_roots,
                          net_release<par_pem>};

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
