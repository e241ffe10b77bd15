#include "core/config/options.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/config/site.hpp"
#include "core/policy/host_allowlist.hpp"

namespace par::core {
namespace {

constexpr int64_t k_day_ms = 86'400'000;
constexpr int64_t k_max_seconds = std::numeric_limits<int32_t>::max();

template <typename Target, typename Value>
Result<void> assign(Target& target, Result<Value> value) {
  if (!value) return tl::unexpected(std::move(value.error()));
  target = static_cast<Target>(std::move(*value));
  return {};
}

Result<void> assign_ms(Milliseconds& target, const Setting& setting) {
  return assign(target, milliseconds_of(setting, 1, k_day_ms));
}

// What is written in the file is meant as seen from the file, what is written in a variable as seen from the
// process.
std::filesystem::path path_from(std::string_view text, const Setting& setting, const Config& config) {
  const std::filesystem::path path(text);
  return path.empty() || path.is_absolute() || setting.from_variable ? path : config.directory / path;
}

Result<void> apply_path(std::filesystem::path& target, const Setting& setting, const Config& config) {
  const auto text = text_of(setting);
  if (!text) return tl::unexpected(text.error());
  target = path_from(*text, setting, config);
  return {};
}

// An origin has nothing behind its port, since the paths are the protocol's.
Result<void> apply_origin(Url& target, const Setting& setting) {
  const auto text = text_of(setting);
  if (!text) return tl::unexpected(text.error());
  const auto url = parse_url(*text);
  if (!url) return tl::unexpected(url.error());
  if (url->path != "/" || url->has_query || !url->userinfo.empty() || text->find('#') != std::string::npos) {
    return fail(
        "expected an origin only, such as https://api.datadoghq.com: no path, query, fragment or user");
  }
  target = *url;
  return {};
}

Result<void> apply_base_url(const Setting& setting, Config& config) {
  const auto text = text_of(setting);
  if (!text) return tl::unexpected(text.error());
  const auto site = derive_site(*text);
  if (!site) return tl::unexpected(site.error());
  config.base_url = *text;
  config.site = site->host;
  config.region = site->region;
  if (site->vanity) {
    config.warnings.push_back(
        fmt::format("{}: ddBaseURL names an organisation's own sub-domain; using the site {}", setting.where,
                    site->host));
  }
  return {};
}

// Both generations of names are in use: the chart's default values still have the older ones.
Result<void> apply_modes(const Setting& setting, Config& config) {
  const auto names = list_of(setting);
  if (!names) return tl::unexpected(names.error());
  if (names->empty()) return {};
  config.modes.clear();
  for (const std::string& given : *names) {
    const std::string_view name = trim(given);
    if (name == "pull" || name == "workflowAutomation") {
      config.modes = {"pull"};
    } else if (name == "push" || name == "appBuilder") {
      config.serves_push = true;
    } else {
      return fail(fmt::format(
          "found the mode \"{}\", expected pull or push (older names: workflowAutomation, appBuilder)",
          cut_utf8(name, 60)));
    }
  }
  if (config.modes.empty()) {
    config.warnings.push_back(
        fmt::format("{}: only push is named, so this runner takes no tasks; add pull", setting.where));
  }
  return {};
}

Result<void> apply_port(const Setting& setting, Config& config) {
  return assign(config.port, whole_number_of(setting, 0, 65535));
}

// Where `port` stood before the chart's version 0.11.
Result<void> apply_app_builder(const Setting& setting, Config& config) {
  const Setting* const port = setting.find("port");
  if (port == nullptr || port->is_null()) return {};
  config.warnings.push_back(
      fmt::format("{}: appBuilder.port is the older spelling; write port instead", setting.where));
  return apply_port(*port, config);
}

Result<void> apply_task_timeout(const Setting& setting, Config& config) {
  const auto limit = seconds_of(setting, 0, k_max_seconds);
  if (!limit) return tl::unexpected(limit.error());
  config.task_timeout = *limit > Milliseconds(0) ? std::optional(*limit) : std::nullopt;
  return {};
}

Result<void> apply_http_timeout(const Setting& setting, Config& config) {
  const auto limit = seconds_of(setting, 0, k_max_seconds);
  if (!limit) return tl::unexpected(limit.error());
  if (*limit == Milliseconds(0)) {
    config.warnings.push_back(
        fmt::format("{}: httpTimeoutSeconds: 0 would let a request hang for ever; using {} seconds",
                    setting.where, config.http_timeout.count() / 1000));
    return {};
  }
  config.http_timeout = *limit;
  return {};
}

Result<void> apply_write_timeout(const Setting& setting, Config& config) {
  if (auto read = assign_ms(config.http_server_write_timeout, setting); !read) return read;
  if (config.http_server_write_timeout < Milliseconds(1000)) {
    config.warnings.push_back(fmt::format("{}: httpServerWriteTimeout is in milliseconds; {} is very short",
                                          setting.where, config.http_server_write_timeout.count()));
  }
  return {};
}

Result<void> apply_host_allowlist(const Setting& setting, Config& config) {
  auto patterns = list_of(setting);
  if (!patterns) return tl::unexpected(patterns.error());
  if (const auto parsed = HostAllowlist::parse(*patterns); !parsed) return tl::unexpected(parsed.error());
  if (patterns->empty()) {
    config.warnings.push_back(fmt::format(
        "{}: allowlist is an empty list, so actions can reach no host; leave the key out to allow every host",
        setting.where));
  }
  config.host_allowlist = std::move(*patterns);
  return {};
}

Result<void> apply_plugins_directory(const Setting& setting, Config& config) {
  const auto text = text_of(setting);
  if (!text) return tl::unexpected(text.error());
  std::vector<std::filesystem::path> directories;
  for (const std::string_view directory : split(*text, ':')) {
    if (!trim(directory).empty()) directories.push_back(path_from(trim(directory), setting, config));
  }
  if (directories.empty()) return fail("found no directory, expected one or more with colons between them");
  config.plugins_directories = std::move(directories);
  return {};
}

Result<void> apply_plugins_variable(const Setting& setting, Config& config) {
  const auto document = parse_json(setting.text);
  if (!document) return fail("found no valid JSON: " + document.error().message);
  if (!document->IsObject()) return fail("expected a JSON object: namespace -> settings");
  for (const auto& member : document->GetObject()) {
    const std::string name(json::text(member.name));
    if (!member.value.IsObject()) return fail(fmt::format("the settings of {} are no JSON object", name));
    config.plugin_settings[name] = json::write(member.value);
  }
  return {};
}

Result<void> apply_plugins(const Setting& setting, Config& config) {
  if (setting.from_variable) return apply_plugins_variable(setting, config);
  if (setting.kind != Setting::Kind::map) return fail("expected a mapping: namespace -> settings");
  for (const Setting::Member& member : setting.members) {
    if (member.value.is_null()) continue;
    if (member.value.kind != Setting::Kind::map) {
      return fail(fmt::format("the settings of {} are no mapping ({})", member.key, member.value.where));
    }
    config.plugin_settings[member.key] = json_of(member.value);
  }
  return {};
}

Result<void> add_plugin_hash(const std::string& name, std::string_view text, Config& config) {
  const auto hash = hex_decode(text);
  if (!hash || hash->size() != 32) {
    return fail(fmt::format(
        "the hash of {} is no SHA-256, expected 64 hexadecimal digits (sha256sum prints them)", name));
  }
  config.plugin_hashes[name] = hex_encode(*hash);
  return {};
}

Result<void> apply_plugin_hashes(const Setting& setting, Config& config) {
  constexpr const char* k_expected = "expected a mapping: namespace -> SHA-256 of its library";
  if (setting.from_variable) {
    const auto document = parse_json(setting.text);
    if (!document || !document->IsObject()) return fail(k_expected);
    for (const auto& member : document->GetObject()) {
      if (!member.value.IsString()) return fail(k_expected);
      const auto added =
          add_plugin_hash(std::string(json::text(member.name)), json::text(member.value), config);
      if (!added) return added;
    }
    return {};
  }
  if (setting.kind != Setting::Kind::map) return fail(k_expected);
  for (const Setting::Member& member : setting.members) {
    if (auto added = add_plugin_hash(member.key, member.value.text, config); !added) return added;
  }
  return {};
}

template <typename Value>
struct Choice {
  std::string_view name;
  Value value;
};

template <typename Value, size_t count>
Result<void> apply_choice(Value& target, const Setting& setting, const Choice<Value> (&choices)[count],
                          std::string_view expected) {
  const auto text = text_of(setting);
  if (!text) return tl::unexpected(text.error());
  const std::string word = to_lower(*text);
  for (const Choice<Value>& choice : choices) {
    if (choice.name != word) continue;
    target = choice.value;
    return {};
  }
  return fail(fmt::format("found \"{}\", expected {}", cut_utf8(*text, 60), expected));
}

Result<void> apply_log_level(const Setting& setting, Config& config) {
  constexpr Choice<LogLevel> k_levels[] = {{"trace", LogLevel::debug},    {"debug", LogLevel::debug},
                                           {"info", LogLevel::info},      {"warn", LogLevel::warn},
                                           {"warning", LogLevel::warn},   {"error", LogLevel::error},
                                           {"critical", LogLevel::error}, {"off", LogLevel::error}};
  return apply_choice(config.log_level, setting, k_levels, "debug, info, warn or error");
}

Result<void> apply_log_format(const Setting& setting, Config& config) {
  constexpr Choice<LogFormat> k_formats[] = {{"json", LogFormat::json}, {"text", LogFormat::text}};
  return apply_choice(config.log_format, setting, k_formats, "json or text");
}

// Both go into request lines and headers as they are.
Result<void> apply_reported_version(const Setting& setting, Config& config) {
  const auto text = text_of(setting);
  if (!text) return tl::unexpected(text.error());
  const bool clean = !text->empty() && std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '+';
  });
  if (!clean)
    return fail(fmt::format("found \"{}\", expected a version such as 1.21.0", cut_utf8(*text, 60)));
  config.reported_version = *text;
  return {};
}

Result<void> apply_health_check_endpoint(const Setting& setting, Config& config) {
  const auto text = text_of(setting);
  if (!text) return tl::unexpected(text.error());
  const bool clean =
      std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c < 0x7f && c != '?'; });
  if (!text->starts_with('/') || !clean) {
    return fail(fmt::format("found \"{}\", expected a path such as /healthz", cut_utf8(*text, 60)));
  }
  config.health_check_endpoint = *text;
  return {};
}

Result<void> apply_private_key(const Setting& setting, Config& config) {
  auto text = text_of(setting);
  if (!text) return tl::unexpected(std::move(text.error()));
  config.private_key = Secret(std::move(*text));
  return {};
}

}  // namespace

const std::vector<Option>& options() {
  using S = const Setting&;
  using C = Config&;
  // The order counts only where an option has an older spelling: the later one wins.
  static const std::vector<Option> table = {
      {"ddBaseURL", "PAR_DD_BASE_URL", "", false, apply_base_url},
      {"urn", "RUNNER_URN", "DD_PRIVATE_ACTION_RUNNER_URN", true,
       [](S s, C c) { return assign(c.urn, text_of(s)); }},
      {"privateKey", "RUNNER_PRIVATE_KEY", "DD_PRIVATE_ACTION_RUNNER_PRIVATE_KEY", true, apply_private_key},
      {"modes", "PAR_MODES", "", false, apply_modes},
      {"appBuilder", "", "", false, apply_app_builder},
      {"port", "PAR_PORT", "", false, apply_port},
      {"actionsAllowlist", "PAR_ACTIONS_ALLOWLIST", "DD_PRIVATE_ACTION_RUNNER_ACTIONS_ALLOWLIST", false,
       [](S s, C c) { return assign(c.actions_allowlist, list_of(s)); }},
      {"allowlist", "PAR_HTTP_ALLOWLIST", "", false, apply_host_allowlist},
      {"allowIMDSEndpoint", "PAR_ALLOW_IMDS_ENDPOINT", "", false,
       [](S s, C c) { return assign(c.allow_imds_endpoint, flag_of(s)); }},
      {"tags", "PAR_TAGS", "", false, [](S s, C c) { return assign(c.tags, list_of(s)); }},
      {"taskTimeoutSeconds", "PAR_TASK_TIMEOUT_SECONDS", "", false, apply_task_timeout},
      {"httpTimeoutSeconds", "PAR_HTTP_TIMEOUT_SECONDS", "", false, apply_http_timeout},
      {"runnerPoolSize", "PAR_RUNNER_POOL_SIZE", "", false,
       [](S s, C c) { return assign(c.runner_pool_size, whole_number_of(s, 1, 1000)); }},
      {"drainTimeoutSeconds", "PAR_DRAIN_TIMEOUT_SECONDS", "", false,
       [](S s, C c) { return assign(c.drain_timeout, seconds_of(s, 0, 3600)); }},
      {"pluginsDirectory", "PAR_PLUGINS_DIRECTORY", "", false, apply_plugins_directory},
      {"pluginHashes", "PAR_PLUGIN_HASHES", "", false, apply_plugin_hashes},
      {"plugins", "PAR_PLUGIN_SETTINGS", "", false, apply_plugins},
      {"logFormat", "PAR_LOG_FORMAT", "", false, apply_log_format},
      {"logLevel", "DD_LOG_LEVEL", "", false, apply_log_level},
      {"keysDirectory", "PAR_KEYS_DIRECTORY", "", false,
       [](S s, C c) { return apply_path(c.keys_directory, s, c); }},
      {"remoteConfigRoot", "PAR_REMOTE_CONFIG_ROOT", "", false,
       [](S s, C c) { return apply_path(c.remote_config_root, s, c); }},
      {"apiURL", "PAR_API_URL", "", false, [](S s, C c) { return apply_origin(c.api_url, s); }},
      {"remoteConfigURL", "PAR_REMOTE_CONFIG_URL", "", false,
       [](S s, C c) { return apply_origin(c.remote_config_url, s); }},
      {"allowInsecureURLs", "PAR_ALLOW_INSECURE_URLS", "", false,
       [](S s, C c) { return assign(c.allow_insecure_urls, flag_of(s)); }},
      {"reportedVersion", "PAR_REPORTED_VERSION", "", false, apply_reported_version},
      {"healthCheckEndpoint", "PAR_HEALTH_CHECK_ENDPOINT", "", false, apply_health_check_endpoint},
      {"httpServerReadTimeout", "PAR_HTTP_SERVER_READ_TIMEOUT", "", false,
       [](S s, C c) { return assign_ms(c.http_server_read_timeout, s); }},
      {"httpServerWriteTimeout", "PAR_HTTP_SERVER_WRITE_TIMEOUT", "", false, apply_write_timeout},
      {"loopIntervalMs", "PAR_LOOP_INTERVAL_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.loop_interval, s); }},
      {"minBackoffMs", "PAR_MIN_BACKOFF_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.min_backoff, s); }},
      {"maxBackoffMs", "PAR_MAX_BACKOFF_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.max_backoff, s); }},
      {"maxAttempts", "PAR_MAX_ATTEMPTS", "", false,
       [](S s, C c) { return assign(c.tuning.max_attempts, whole_number_of(s, 1, 1'000'000)); }},
      {"waitBeforeRetryMs", "PAR_WAIT_BEFORE_RETRY_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.wait_before_retry, s); }},
      {"opmsRequestTimeoutMs", "PAR_OPMS_REQUEST_TIMEOUT_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.request_timeout, s); }},
      {"healthCheckIntervalMs", "PAR_HEALTH_CHECK_INTERVAL_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.health_check_interval, s); }},
      {"heartbeatIntervalMs", "PAR_HEARTBEAT_INTERVAL_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.heartbeat_interval, s); }},
      {"jwtRefreshIntervalMs", "PAR_JWT_REFRESH_INTERVAL_MS", "", false,
       [](S s, C c) { return assign_ms(c.tuning.jwt_refresh_interval, s); }},
  };
  return table;
}

}  // namespace par::core
