#pragma once

#include <memory>
#include <string_view>

#include <par/http.h>
#include <par/net.h>
#include <par/process.h>

#include "core/base/time.hpp"

namespace par::core {

class HttpClient;
class TrustStore;
struct EgressSettings;

/// The host's services as plugins see them: the C tables behind "par.http/1", "par.net/1" and
/// "par.process/1". A table's functions find their call's policy through CallScope, so one set of tables
/// serves all plugins. There is one per process, since C functions have no other way to reach it; it lives
/// until the process ends.
class Services {
 public:
  struct Settings {
    Milliseconds http_timeout{30'000};     ///< httpTimeoutSeconds
    const par_process* process = nullptr;  ///< ProcessService::table()
  };
  /// Everything given must outlive the last call of a plugin.
  Services(HttpClient& http, std::shared_ptr<TrustStore> trust, const EgressSettings& egress,
           Settings settings);
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  /// The table of a service, or null if the host has none of that id.
  const void* find(std::string_view id) const;

 private:
  const par_http* http_table_;
  const par_net* net_table_;
  const par_process* process_table_;
};

}  // namespace par::core
