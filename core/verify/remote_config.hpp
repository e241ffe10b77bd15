#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/base/time.hpp"
#include "core/verify/keys.hpp"

namespace boost::asio {
class io_context;
}

namespace par::core {

class HttpClient;
class Log;
class RequestTokens;

struct RemoteConfigSettings {
  std::string origin;    ///< such as https://config.datadoghq.com
  std::string site;      ///< such as datadoghq.com
  std::string hostname;  ///< empty: this machine's
  std::string version;   ///< the version that is reported to Datadog
  /// A file with the pinned TUF root: one document for both repositories, or an object with `config` and
  /// `director`. Empty: the first root received is trusted and kept in `stored_root`.
  std::filesystem::path pinned_root;
  std::filesystem::path stored_root;
  Milliseconds interval{60'000};       ///< between two polls, give or take a tenth
  Milliseconds first_interval{5'000};  ///< the same while there is no key
  Milliseconds timeout{30'000};        ///< for one poll
};

/// Signing keys from Remote Configuration, checked by its two TUF repositories. An update that fails any
/// check is logged, reported back and changes nothing.
class RemoteConfigKeys : public KeySource {
 public:
  using Now = std::function<SystemTime()>;

  /// All references must outlive stop(). Control thread only.
  RemoteConfigKeys(boost::asio::io_context& control, HttpClient& http, RequestTokens& tokens, const Log& log,
                   RemoteConfigSettings settings, Now now = &std::chrono::system_clock::now);
  ~RemoteConfigKeys() override;

  void start(std::function<void(std::shared_ptr<const KeySet>)> changed) override;
  void stop() override;
  std::string problem() const override;

 private:
  struct Poller;
  std::shared_ptr<Poller> poller_;
};

}  // namespace par::core
