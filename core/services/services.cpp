#include "core/services/services.hpp"

#include <par/http.h>
#include <par/net.h>
#include <par/process.h>

#include "core/services/service_tables.hpp"

namespace par::core {

Services::Services(HttpClient& http, std::shared_ptr<TrustStore> trust, const EgressSettings& egress,
                   Settings settings)
    : http_table_(make_http_service(http, egress, settings.http_timeout)),
      net_table_(make_net_service(http, std::move(trust), egress)),
      process_table_(settings.process) {}

Services::~Services() {
  end_http_service();
  end_net_service();
}

const void* Services::find(std::string_view id) const {
  if (id == PAR_HTTP_SERVICE) return http_table_;
  if (id == PAR_NET_SERVICE) return net_table_;
  if (id == PAR_PROCESS_SERVICE) return process_table_;
  return nullptr;
}

}  // namespace par::core
