#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/base/time.hpp"
#include "core/base/url.hpp"
#include "core/telemetry/dogstatsd.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {

/// A copy of the process environment, so that tests need not change their own.
using Environment = std::map<std::string, std::string, std::less<>>;
Environment process_environment();

/// Tuning constants of the pull channel. Times are milliseconds in the file.
struct ChannelTuning {
  Milliseconds min_backoff{1'000};
  Milliseconds max_backoff{180'000};
  int max_attempts = 20;                    ///< errors in a row before the long wait
  Milliseconds wait_before_retry{300'000};  ///< the long wait
  Milliseconds loop_interval{1'000};        ///< after an empty dequeue
  Milliseconds request_timeout{30'000};     ///< opmsRequestTimeoutMs
  Milliseconds health_check_interval{30'000};
  Milliseconds heartbeat_interval{20'000};
  Milliseconds jwt_refresh_interval{15'000};
};

/// Everything the operator can set, read and checked.
struct Config {
  std::filesystem::path directory;  ///< holds config.yaml and credentials/
  bool has_file = false;

  std::string base_url;  ///< ddBaseURL as it was given
  std::string site;      ///< such as datadoghq.com
  std::string region;    ///< such as us1
  Url api_url;
  Url remote_config_url;
  bool allow_insecure_urls = false;

  std::string urn;
  Secret private_key;           ///< as configured, not yet decoded
  std::string identity_source;  ///< for the start banner: "config.yaml", "environment", ...

  bool serves_push = false;        ///< push was asked for (and is not served)
  std::vector<std::string> modes;  ///< new names of what is served: {"pull"}, or nothing
  uint16_t port = 9016;            ///< 0: no local server
  bool allow_imds_endpoint = false;
  std::vector<std::string> actions_allowlist;
  std::optional<std::vector<std::string>> host_allowlist;  ///< absent: all hosts
  std::vector<std::string> tags;
  std::optional<Milliseconds> task_timeout;  ///< absent: no limit
  Milliseconds http_timeout{30'000};
  Milliseconds http_server_read_timeout{10'000};
  Milliseconds http_server_write_timeout{60'000};
  std::string health_check_endpoint = "/healthz";

  std::filesystem::path keys_directory;      ///< empty: Remote Config
  std::filesystem::path remote_config_root;  ///< empty: trust on first use
  int runner_pool_size = 10;
  std::vector<std::filesystem::path> plugins_directories;
  std::map<std::string, std::string> plugin_hashes;    ///< namespace -> SHA-256 in lower-case hexadecimal
  std::map<std::string, std::string> plugin_settings;  ///< namespace -> JSON object
  Milliseconds drain_timeout{25'000};
  LogFormat log_format = LogFormat::json;
  LogLevel log_level = LogLevel::info;
  std::string reported_version = "1.21.0";
  ChannelTuning tuning;

  std::optional<DogStatsdAddress> dogstatsd;  ///< absent: no DogStatsD metrics

  std::string http_proxy;  ///< may hold a password
  std::string https_proxy;
  std::string no_proxy;
  std::vector<std::string> certificate_directories;  ///< SSL_CERT_DIR
  std::string certificate_file;                      ///< SSL_CERT_FILE

  std::vector<std::string> warnings;  ///< to be logged once logging works
};

/// Reads config.yaml (if there is one) and the environment. Environment > file > default, but for what counts
/// at enrollment only. An error names file, line and key, what was found, what was expected. Unknown keys
/// only warn. `default_plugins_directory` depends on where the program is installed.
///
/// A missing identity is no error here, since some commands need none: see check_identity().
Result<Config> load_config(const Environment& environment,
                           const std::filesystem::path& default_plugins_directory, bool terminal);

/// Neither URN nor private key is configured, so the runner may be enrolled.
bool lacks_identity(const Config& config);

/// Is there an identity to run with? The error says what is missing, or that the chart's placeholder is still
/// there, and what to do. Whether URN and key are well-formed is for core/identity to say.
Result<void> check_identity(const Config& config);

/// Lets `redactor` know the secrets of the configuration: the private key and the passwords of proxies.
void register_secrets(const Config& config, Redactor& redactor);

}  // namespace par::core
