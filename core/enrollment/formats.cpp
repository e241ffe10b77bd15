#include "core/enrollment/formats.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/config/config.hpp"
#include "core/config/yaml.hpp"
#include "core/enrollment/kubernetes_actions.hpp"

namespace par::core {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A YAML scalar. JSON strings are YAML; what is surely read as the same text without quotes gets none.
std::string scalar(std::string_view text) {
  constexpr std::string_view k_words[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"};
  const bool plain = !text.empty() && is_letter(text.front()) && text.back() != ':' &&
                     std::all_of(text.begin(), text.end(),
                                 [](char c) {
                                   return is_letter(c) || (c >= '0' && c <= '9') ||
                                          std::string_view("_-./:").find(c) != std::string_view::npos;
                                 }) &&
                     std::find(std::begin(k_words), std::end(k_words), to_lower(text)) == std::end(k_words);
  if (plain) return std::string(text);
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.String(text);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string flow_list(const std::vector<std::string>& texts) {
  std::vector<std::string> scalars;
  for (const std::string& text : texts) scalars.push_back(scalar(text));
  return fmt::format("[{}]", fmt::join(scalars, ", "));
}

std::string block_list(const std::vector<std::string>& texts, std::string_view indent) {
  if (texts.empty()) return " []\n";
  std::string lines = "\n";
  for (const std::string& text : texts) lines += fmt::format("{}  - {}\n", indent, scalar(text));
  return lines;
}

std::vector<std::string> all_modes(const Config& config) {
  std::vector<std::string> modes = config.modes;
  if (config.serves_push) modes.emplace_back("push");
  return modes;
}

std::string seconds(Milliseconds time) {
  return fmt::format("{}", std::chrono::duration<double>(time).count());
}

// The options that config.yaml and the chart have in common, one line each with `indent` in front. Those that
// stand at their default are left out, but for `always`, the ones that say who the runner is.
struct Entry {
  std::string_view key;
  std::string value;  // behind the colon, with the line's end
};
std::vector<Entry> identity_entries(const Config& config, const std::vector<std::string>& actions,
                                    std::string_view indent) {
  const auto line = [](std::string_view text) { return fmt::format(" {}\n", text); };
  return {{"ddBaseURL", line(scalar(config.base_url))},
          {"urn", line(scalar(config.urn))},
          {"privateKey", line(scalar(config.private_key.reveal()))},
          {"modes", line(flow_list(all_modes(config)))},
          {"port", line(std::to_string(config.port))},
          {"actionsAllowlist", block_list(actions, indent)}};
}

std::vector<Entry> other_entries(const Config& config) {
  const Config defaults;
  std::vector<Entry> entries;
  if (config.allow_imds_endpoint) entries.push_back({"allowIMDSEndpoint", " true\n"});
  if (!config.tags.empty()) entries.push_back({"tags", fmt::format(" {}\n", flow_list(config.tags))});
  if (config.task_timeout)
    entries.push_back({"taskTimeoutSeconds", fmt::format(" {}\n", seconds(*config.task_timeout))});
  if (config.http_timeout != defaults.http_timeout)
    entries.push_back({"httpTimeoutSeconds", fmt::format(" {}\n", seconds(config.http_timeout))});
  return entries;
}

std::string lines_of(const std::vector<Entry>& entries, std::string_view indent) {
  std::string text;
  for (const Entry& entry : entries) text += fmt::format("{}{}:{}", indent, entry.key, entry.value);
  return text;
}

std::string config_yaml(const Config& config) {
  return "# Written by par-runner at enrollment. It holds the runner's private key: keep it to the runner's "
         "user.\n"
         "# A change takes effect at the next start; config.example.yaml has all options.\n" +
         lines_of(identity_entries(config, config.actions_allowlist, ""), "") +
         lines_of(other_entries(config), "");
}

std::string helm_values(const Config& config) {
  const ChartActions actions = split_for_chart(config.actions_allowlist);
  std::string text =
      "# Values for the Helm chart datadog/private-action-runner, written by par-runner at enrollment. They "
      "hold the\n"
      "# runner's private key. Set image.repository and image.tag to the image of par-runner.\n"
      "runner:\n"
      "  config:\n";
  text += lines_of(identity_entries(config, actions.others, "    "), "    ");
  text += lines_of(other_entries(config), "    ");
  text += "  # The chart adds these actions to the allowlist, and the permissions that they need.\n";
  text += "  kubernetesActions:\n";
  for (const auto& [resource, verbs] : actions.kubernetes)
    text += fmt::format("    {}: {}\n", resource, flow_list(verbs));
  if (actions.cluster_scoped) {
    text +=
        "  # Some of these resources belong to no namespace, and a Role gives no access to them. A "
        "ClusterRole does; it\n"
        "  # also widens all other permissions to every namespace.\n"
        "  #roleType: ClusterRole\n";
  }
  if (!actions.without_permissions.empty()) {
    text += fmt::format(
        "  # The chart makes no permissions for these; list what they need here: {}\n"
        "  #kubernetesPermissions: []\n",
        fmt::join(actions.without_permissions, ", "));
  }
  text += "  useSeparateSecretForCredentials: true\n";
  if (config.port != 0) {
    for (const auto& [probe, path] :
         {std::pair("livenessProbe", "/liveness"), std::pair("readinessProbe", "/readiness")}) {
      text += fmt::format(
          "  {}:\n    httpGet:\n      path: {}\n      port: http\n    periodSeconds: 10\n    timeoutSeconds: "
          "10\n"
          "    failureThreshold: 3\n",
          probe, path);
    }
  }
  return text;
}

std::string env_lines(const Config& config) {
  return fmt::format(
      "RUNNER_URN={}\nRUNNER_PRIVATE_KEY={}\nDD_BASE_URL={}\nRUNNER_MODES={}\nACTIONS_ALLOWLIST={}\n",
      config.urn, config.private_key.reveal(), config.base_url, fmt::join(all_modes(config), ","),
      fmt::join(config.actions_allowlist, ","));
}

// Says `setting` something?
bool is_set(const Setting* setting) {
  return setting != nullptr && !setting->is_null() &&
         !(setting->kind == Setting::Kind::scalar && trim(setting->text).empty());
}

bool says(const Setting& options, std::string_view key, std::string_view text) {
  const Setting* const option = options.find(key);
  return option != nullptr && option->text == text;
}

// Without the lines that name `key` and give nothing.
std::string without_key(std::string_view text, std::string_view key) {
  std::string kept;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(key) && line.substr(key.size(), 1) == ":") continue;
    kept += line;
    kept += '\n';
  }
  kept.pop_back();  // split() gives one piece more than there are line ends
  return kept;
}

}  // namespace

std::optional<EnrollmentFormat> enrollment_format(std::string_view name) {
  if (name == "config") return EnrollmentFormat::config;
  if (name == "helm-values") return EnrollmentFormat::helm_values;
  if (name == "env") return EnrollmentFormat::env;
  return std::nullopt;
}

Secret render(const Config& config, EnrollmentFormat format) {
  switch (format) {
    case EnrollmentFormat::helm_values:
      return Secret(helm_values(config));
    case EnrollmentFormat::env:
      return Secret(env_lines(config));
    case EnrollmentFormat::config:
      break;
  }
  return Secret(config_yaml(config));
}

Result<Secret> complete_config_file(std::string_view existing, const Config& config) {
  constexpr std::string_view k_name = "config.yaml";
  if (trim(existing).empty()) return render(config, EnrollmentFormat::config);
  const auto before = read_yaml(existing, std::string(k_name));
  if (!before) return tl::unexpected(before.error());
  std::string text(existing);
  std::vector<Entry> missing;
  Setting expected = *before;
  expected.kind = Setting::Kind::map;
  for (Entry& entry : identity_entries(config, config.actions_allowlist, "")) {
    if (entry.key == "port" || is_set(before->find(entry.key))) continue;
    if (before->find(entry.key) != nullptr) text = without_key(text, entry.key);
    std::erase_if(expected.members, [&](const Setting::Member& member) { return member.key == entry.key; });
    missing.push_back(std::move(entry));
  }
  const std::string added = lines_of(missing, "");
  auto additions = read_yaml(added, std::string(k_name));
  if (!additions) return tl::unexpected(additions.error());
  std::move(additions->members.begin(), additions->members.end(), std::back_inserter(expected.members));
  if (!text.ends_with('\n')) text += '\n';
  text += "# Added by par-runner at enrollment.\n" + added;

  // The text was edited by lines; only reading it again shows that it says what was meant and nothing else.
  const auto after = read_yaml(text, std::string(k_name));
  if (!after || json_of(*after) != json_of(expected) || !says(*after, "urn", config.urn) ||
      !says(*after, "privateKey", config.private_key.reveal())) {
    return fail(
        "nothing can be added to config.yaml as it is written: expected one option a line, such as \"urn:\" "
        "at the start of the line. Write it that way, or move it away for the enrollment");
  }
  return Secret(std::move(text));
}

}  // namespace par::core
