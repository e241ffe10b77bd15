#pragma once

#include <functional>
#include <optional>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/enrollment/messages.hpp"

namespace boost::asio {
class io_context;
}

namespace par::core {

class HttpClient;
class Log;
class PrivateKey;
struct Config;
struct EnrollmentSettings;

/// The one request of an enrollment. It makes a runner at Datadog and may spend a token, so it is repeated
/// only while surely nothing of it has reached the server: the name is not resolved, or no connection made.
/// Then it is tried again after 1 s, doubling to 30 s, for `patience`.
class EnrollmentExchange {
 public:
  /// All references must outlive the exchange. `config` says where to and as which version.
  EnrollmentExchange(boost::asio::io_context& control, HttpClient& http, const Config& config, const Log& log,
                     Milliseconds patience = std::chrono::minutes(2));

  /// Runs `control` until there is an answer or it is clear that there will be none. `stop_requested` is
  /// asked before each attempt and while waiting for the next; nothing is returned if it ended them. Errors:
  /// refusals and lost answers as refusals.hpp explains them; no connection.
  Result<std::optional<EnrollmentAnswer>> run(const EnrollmentSettings& settings, const PrivateKey& key,
                                              const std::function<bool()>& stop_requested);

 private:
  boost::asio::io_context& control_;
  HttpClient& http_;
  const Config& config_;
  const Log& log_;
  Milliseconds patience_;
};

}  // namespace par::core
