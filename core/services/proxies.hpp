#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/url.hpp"
#include "core/services/ip_address.hpp"

namespace par::core {

struct ProxySettings;

/// A forward proxy: http:// or https:// to it, user info for Basic authentication.
struct Proxy {
  Url url;
  std::string authorization;  ///< value of Proxy-Authorization, or empty
};

/// Reads a proxy URL; without a scheme it is http. Errors name no user info.
Result<Proxy> parse_proxy(std::string_view text);

/// "Basic ..." for the user info of a URL (percent-decoded), or empty if there is none.
std::string basic_authorization(const Url& url);

/// Chooses the proxy for a URL as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. Loopback addresses get no special
/// treatment.
class ProxyRules {
 public:
  explicit ProxyRules(const ProxySettings& settings);

  /// Null: connect directly. The error says which variable is malformed.
  Result<const Proxy*> choose(const Url& target) const;

 private:
  /// One entry of NO_PROXY.
  struct Exception {
    std::string domain;       ///< lower case; the name itself and what is below it
    bool only_below = false;  ///< ".domain": not the name itself
    std::optional<IpAddress> network;
    unsigned bits = 0;
    uint16_t port = 0;  ///< 0: any
  };
  static std::optional<Exception> parse_exception(std::string_view entry);
  bool is_exception(const Url& target) const;

  std::optional<Result<Proxy>> http_;
  std::optional<Result<Proxy>> https_;
  std::vector<Exception> exceptions_;
  bool never_ = false;  ///< NO_PROXY holds "*"
};

}  // namespace par::core
