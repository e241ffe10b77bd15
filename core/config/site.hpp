#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace par::core {

/// The Datadog site that a runner belongs to, such as us3.datadoghq.com. Control calls go to api.<host>,
/// Remote Config to config.<host>.
struct Site {
  std::string host;
  std::string region;   ///< as in the runner's URN: us1, eu1, us3, ...
  bool vanity = false;  ///< an organisation's own sub-domain was left out of `host`
  bool known = false;   ///< in one of Datadog's own domains
};

/// Reads ddBaseURL, with or without scheme, path and a leading "app." or "api.". Of names below Datadog's own
/// domains, only a region label (us3, ap1, ...) is kept: any other is an organisation's own sub-domain, which
/// has no API. Errors: no host name in it.
Result<Site> derive_site(std::string_view base_url);

}  // namespace par::core
