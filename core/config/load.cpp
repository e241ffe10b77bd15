#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/base/files.hpp"
#include "core/base/strings.hpp"
#include "core/config/config.hpp"
#include "core/config/dogstatsd_settings.hpp"
#include "core/config/environment.hpp"
#include "core/config/options.hpp"
#include "core/config/site.hpp"
#include "core/config/yaml.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_default_directory = "/etc/dd-action-runner/config";
constexpr std::string_view k_default_site = "https://app.datadoghq.com";
constexpr size_t k_max_file_bytes = 1 << 20;

// A variable in upper or in lower case, as proxies are given.
std::string either_case(const Environment& environment, std::string_view name) {
  const std::string_view upper = variable(environment, name);
  return std::string(upper.empty() ? variable(environment, to_lower(name)) : upper);
}

/// Collects everything that is wrong, so that the operator can mend it all at once.
class Problems {
 public:
  void add(const std::string& text) { text_ += (text_.empty() ? "" : "; ") + text; }
  void add(std::string_view where, std::string_view key, const Error& error) {
    add(fmt::format("{}: {}: {}", where, key, error.message));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What the environment says of an option: its variable or the Agent's name for it.
Result<std::optional<Setting>> from_environment(const Option& option, const Environment& environment) {
  for (const std::string_view name : {option.variable, option.other_variable}) {
    if (name.empty()) continue;
    auto given = read_variable(environment, name, option.secret);
    if (!given || *given) return given;
  }
  return std::optional<Setting>();
}

Result<Setting> read_config_file(const std::filesystem::path& file) {
  auto content = read_file(file, k_max_file_bytes);
  if (!content) {
    return fail(content.error().message +
                " (config.yaml must be readable by the user that the runner runs as)");
  }
  const Secret text(std::move(*content));  // it may hold the private key
  auto root = read_yaml(text.reveal(), file.native());
  if (root && !root->is_null() && root->kind != Setting::Kind::map) {
    return fail(root->where + ": expected lines of the form \"key: value\"");
  }
  return root;
}

void warn_of_unknown_keys(const Setting& file, Config& config) {
  std::vector<std::string> keys;
  for (const Option& option : options()) keys.emplace_back(option.key);
  for (const Setting::Member& member : file.members) {
    if (std::find(keys.begin(), keys.end(), member.key) != keys.end()) continue;
    std::string text =
        fmt::format("{}: unknown key \"{}\" is ignored", member.value.where, cut_utf8(member.key, 60));
    if (member.key == "bundles") {
      text += ": scripts are configured in the credential file of their connection";
    } else {
      text += did_you_mean(member.key, keys);
    }
    config.warnings.push_back(std::move(text));
  }
}

// A variable that looks like a mistyped one of ours. Others with our prefix may belong to anyone.
void warn_of_unknown_variables(const Environment& environment, Config& config) {
  std::vector<std::string> names;
  for (const Option& option : options()) {
    if (!option.variable.empty()) names.emplace_back(option.variable);
  }
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("PAR_") || std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (const std::string meant = did_you_mean(name, names); !meant.empty()) {
      config.warnings.push_back(fmt::format("unknown variable {} is ignored{}", name, meant));
    }
  }
}

void warn_of_variables_without_effect(const Environment& environment, Config& config) {
  if (config.actions_allowlist.empty() && !variable(environment, "ACTIONS_ALLOWLIST").empty()) {
    config.warnings.emplace_back(
        "ACTIONS_ALLOWLIST counts at enrollment only and actionsAllowlist is empty, so no action is allowed; "
        "use config.yaml or PAR_ACTIONS_ALLOWLIST");
  }
}

std::string describe_source(const Setting& setting) {
  if (!setting.from_variable) return "config.yaml";
  return setting.where.ends_with("_FILE") ? "file named by " + setting.where : "environment";
}

// Takes every option from where it counts most. `urn_source` and `key_source` say where the identity came
// from.
void apply_options(const Setting& file, const Environment& environment, Config& config, Problems& problems) {
  std::string urn_source;
  std::string key_source;
  for (const Option& option : options()) {
    auto given = from_environment(option, environment);
    if (!given) {
      problems.add(given.error().message);
      continue;
    }
    std::optional<Setting> setting = std::move(*given);
    if (!setting) {
      const Setting* const in_file = file.find(option.key);
      if (in_file == nullptr || in_file->is_null()) continue;
      setting = *in_file;
    }
    setting->secret = option.secret;
    if (auto applied = option.apply(*setting, config); !applied) {
      problems.add(setting->where, option.key, applied.error());
    }
    if (option.key == "urn") urn_source = describe_source(*setting);
    if (option.key == "privateKey") key_source = describe_source(*setting);
    if (option.secret) wipe(setting->text.data(), setting->text.size());
  }
  config.identity_source = urn_source == key_source || key_source.empty() ? urn_source
                           : urn_source.empty()
                               ? key_source
                               : fmt::format("urn: {}, privateKey: {}", urn_source, key_source);
}

void take_network(const Environment& environment, Config& config) {
  config.http_proxy = either_case(environment, "HTTP_PROXY");
  config.https_proxy = either_case(environment, "HTTPS_PROXY");
  config.no_proxy = either_case(environment, "NO_PROXY");
  for (const std::string_view directory : split(variable(environment, "SSL_CERT_DIR"), ':')) {
    if (!trim(directory).empty()) config.certificate_directories.emplace_back(trim(directory));
  }
  config.certificate_file = variable(environment, "SSL_CERT_FILE");
}

// Metrics are no reason not to start, so a mistake leaves them off.
void take_dogstatsd(const Environment& environment, Config& config) {
  const std::string_view text = variable(environment, "STATSD_ENABLED");
  if (text.empty()) return;
  const auto enabled = flag_of(setting_of_variable("STATSD_ENABLED", text));
  if (enabled && !*enabled) return;
  auto address = dogstatsd_address(environment);
  if (enabled && address) {
    config.dogstatsd = std::move(*address);
  } else {
    config.warnings.push_back("no metrics are sent: " + (enabled
                                                             ? address.error().message
                                                             : "STATSD_ENABLED: " + enabled.error().message));
  }
}

// The origins that follow from the site, and what may stand in for them.
void settle_origins(Config& config, Problems& problems) {
  const auto settle = [&](Url& origin, std::string_view key, std::string_view label) {
    if (origin.host.empty()) {
      const auto url = parse_url(fmt::format("https://{}.{}", label, config.site));
      if (!url) return problems.add(fmt::format("ddBaseURL: {}", url.error().message));
      origin = *url;
    }
    if (!origin.is_https() && !config.allow_insecure_urls) {
      problems.add(
          fmt::format("{}: found {}, expected https:// (plain http:// is for tests and needs "
                      "allowInsecureURLs: true)",
                      key, origin.origin()));
    }
  };
  settle(config.api_url, "apiURL", "api");
  settle(config.remote_config_url, "remoteConfigURL", "config");
  if (config.allow_insecure_urls) {
    config.warnings.emplace_back(
        "allowInsecureURLs is set: tasks and request tokens may travel without encryption; never use this "
        "outside of tests");
  }
}

}  // namespace

Result<Config> load_config(const Environment& environment,
                           const std::filesystem::path& default_plugins_directory, bool terminal) {
  Config config;
  Problems problems;
  const std::string_view directory = variable(environment, "DD_PRIVATE_RUNNER_CONFIG_DIR");
  config.directory = std::filesystem::path(directory.empty() ? k_default_directory : directory);
  config.modes = {"pull"};
  config.plugins_directories = {default_plugins_directory};
  config.log_format = terminal ? LogFormat::text : LogFormat::json;

  Setting file;
  const std::filesystem::path path = config.directory / "config.yaml";
  std::error_code ignored;
  // A dangling link is a file that should be there, so it is not followed here.
  if (std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found) {
    auto read = read_config_file(path);
    if (!read) return tl::unexpected(std::move(read.error()));
    file = std::move(*read);
    config.has_file = true;
  }

  apply_options(file, environment, config, problems);
  if (config.site.empty()) {
    // An enrolled runner belongs to the site that its file names; before that the variable says where to
    // enroll.
    const bool enrolled = config.has_file && !config.urn.empty();
    std::string_view base_url = enrolled ? std::string_view() : variable(environment, "DD_BASE_URL");
    if (base_url.empty()) base_url = k_default_site;
    const Setting setting = setting_of_variable("DD_BASE_URL", base_url);
    const auto option = std::find_if(options().begin(), options().end(),
                                     [](const Option& candidate) { return candidate.key == "ddBaseURL"; });
    if (auto applied = option->apply(setting, config); !applied)
      problems.add("DD_BASE_URL: " + applied.error().message);
  }
  if (!config.site.empty()) settle_origins(config, problems);
  if (config.tuning.min_backoff > config.tuning.max_backoff) {
    problems.add(fmt::format("minBackoffMs ({}) is larger than maxBackoffMs ({})",
                             config.tuning.min_backoff.count(), config.tuning.max_backoff.count()));
  }
  take_network(environment, config);
  take_dogstatsd(environment, config);
  warn_of_unknown_keys(file, config);
  warn_of_unknown_variables(environment, config);
  warn_of_variables_without_effect(environment, config);
  if (!problems.text().empty()) return fail(problems.text());
  return config;
}

}  // namespace par::core
