#pragma once

#include <memory>
#include <string_view>

#include "core/base/time.hpp"

namespace par::core {

class HttpClient;
class Log;
class TrustStore;
struct EgressSettings;

/// The host's services as plugins see them: the C tables behind "par.http/1", "par.net/1" and "par.process/1". A table's
/// functions find their call's policy through CallScope, so one set of tables serves all plugins. There is one per
/// process, since C functions have no other way to reach it; it lives until the process ends.
class Services {
 public:
  struct Settings {
    Milliseconds http_timeout{30'000};  ///< httpTimeoutSeconds
  };
  Services(HttpClient& http, std::shared_ptr<TrustStore> trust, const EgressSettings& egress, Settings settings,
           const Log& log);
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  /// The table of a service, or null if the host has none of that id.
  const void* find(std::string_view id) const;
};

}  // namespace par::core
