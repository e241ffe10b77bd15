#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <par/http.h>
#include <par/net.h>

#include "core/base/time.hpp"
#include "core/services/egress.hpp"
#include "core/services/http_client.hpp"

namespace par::core {

class CallScope;
class TrustStore;

// The tables' functions find what they serve from through a pointer of the process, set here.
const par_http* make_http_service(HttpClient& client, const EgressSettings& egress,
                                  Milliseconds default_timeout);
void end_http_service();
const par_net* make_net_service(HttpClient& client, std::shared_ptr<TrustStore> trust,
                                const EgressSettings& egress);
void end_net_service();

/// The status of the ABI for a failure. A call that ends because its time is over is cancelled like any
/// other, but is to be told as what it is.
par_status status_of(HttpFailure failure, const CallScope& scope);

inline par_str to_par_str(std::string_view text) {
  return {text.data(), text.size()};
}
inline par_bytes to_par_bytes(std::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}
inline std::string_view view(par_str text) {
  return text.len ? std::string_view(text.ptr, text.len) : std::string_view();
}
inline std::string_view view(par_bytes bytes) {
  return bytes.len ? std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len)
                   : std::string_view();
}

}  // namespace par::core
