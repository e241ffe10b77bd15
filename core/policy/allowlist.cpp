#include "core/policy/allowlist.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_every_action = "*";

// An action that Datadog's own pages call behind the user's back (connection tests, suggestions of script
// names): allowed as soon as the operator allows anything of a bundle that starts with `prefix`.
struct ImpliedAction {
  std::string_view prefix;
  std::string_view bundle;
  std::string_view action;
};

constexpr ImpliedAction k_implied_actions[] = {
    {"com.datadoghq.gitlab", "com.datadoghq.gitlab.users", "testConnection"},
    {"com.datadoghq.kubernetes", "com.datadoghq.kubernetes.core", "testConnection"},
    {"com.datadoghq.script", "com.datadoghq.script", "testConnection"},
    {"com.datadoghq.script", "com.datadoghq.script", "enrichScript"},
    {"com.datadoghq.ddagent", "com.datadoghq.ddagent", "testConnection"},
    {"com.datadoghq.http", "com.datadoghq.http", "testConnection"},
    {"com.datadoghq.remoteaction", "com.datadoghq.remoteaction", "testConnection"},
};

// The official chart forms plurals by appending an s, also where the kind ends in one.
constexpr std::string_view k_misspelt = "com.datadoghq.kubernetes.core.deleteMultipleEndpointss";
constexpr std::string_view k_correct = "com.datadoghq.kubernetes.core.deleteMultipleEndpoints";

constexpr std::string_view k_kubernetes = "com.datadoghq.kubernetes.";

struct Name {
  std::string_view bundle;
  std::string_view action;
};

// Splits at the last dot; both parts are empty if there is none or one of them would be.
Name split_name(std::string_view full) {
  const size_t dot = full.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == full.size()) return {};
  return {full.substr(0, dot), full.substr(dot + 1)};
}

template <typename Map>
bool holds(const Map& map, std::string_view bundle, std::string_view action) {
  const auto found = map.find(bundle);
  return found != map.end() && (found->second.contains(action) || found->second.contains(k_every_action));
}

// What is known of one bundle: its actions, and whether other bundles lie below its name.
struct KnownBundle {
  std::vector<std::string> actions;
  std::string_view below;
};

KnownBundle known_of(std::string_view bundle, const std::vector<std::string>& known_actions) {
  KnownBundle known;
  for (const std::string& name : known_actions) {
    const Name parts = split_name(name);
    if (parts.bundle == bundle) known.actions.push_back(name);
    if (parts.bundle.size() > bundle.size() && parts.bundle.starts_with(bundle) &&
        parts.bundle[bundle.size()] == '.') {
      known.below = parts.bundle;
    }
  }
  return known;
}

std::string refusal(std::string_view name) {
  std::string text = fmt::format(
      "the action {0} is not in this runner's allowlist: add \"{0}\" to actionsAllowlist in config.yaml",
      name);
  text += name.starts_with(k_kubernetes)
              ? " (Helm value runner.kubernetesActions or runner.config.actionsAllowlist)"
              : " (Helm value runner.config.actionsAllowlist)";
  return text + " and restart the runner";
}

}  // namespace

ActionsAllowlist::ActionsAllowlist(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    std::string_view text = trim(entry);
    if (text.empty()) continue;
    if (text == k_misspelt) text = k_correct;
    const Name name = split_name(text);
    if (name.bundle.empty()) {
      useless_.emplace_back(text);
    } else if (actions_[std::string(name.bundle)].emplace(name.action).second) {
      ++entries_;
    }
  }
  for (const ImpliedAction& implied : k_implied_actions) {
    const bool opened = std::any_of(actions_.begin(), actions_.end(), [&](const auto& bundle) {
      return bundle.first.starts_with(implied.prefix);
    });
    if (opened) implied_[std::string(implied.bundle)].emplace(implied.action);
  }
}

bool ActionsAllowlist::allows(std::string_view bundle_id, std::string_view action_name) const {
  return holds(actions_, bundle_id, action_name) || holds(implied_, bundle_id, action_name);
}

std::vector<std::string> ActionsAllowlist::bundles() const {
  std::set<std::string, std::less<>> all;
  for (const auto& [bundle, names] : actions_) all.insert(bundle);
  for (const auto& [bundle, names] : implied_) all.insert(bundle);
  return {all.begin(), all.end()};
}

std::vector<std::string> ActionsAllowlist::named_bundles() const {
  std::vector<std::string> named;
  for (const auto& [bundle, names] : actions_) named.push_back(bundle);
  return named;
}

std::vector<std::string> ActionsAllowlist::warnings(const std::vector<std::string>& known_actions) const {
  std::vector<std::string> texts;
  for (const std::string& entry : useless_) {
    texts.push_back(fmt::format(
        "actionsAllowlist: \"{}\" allows nothing: expected <namespace>.<action> or <namespace>.*{}", entry,
        did_you_mean(entry, known_actions)));
  }
  for (const auto& [bundle, names] : actions_) {
    const KnownBundle known = known_of(bundle, known_actions);
    for (const std::string& name : names) {
      const std::string entry = bundle + "." + name;
      if (name == k_every_action) {
        if (!known.actions.empty() || known.below.empty()) continue;
        texts.push_back(fmt::format(
            "actionsAllowlist: \"{}\" does not open the namespaces below it, each needs an entry of "
            "its own (did you mean \"{}.*\"?)",
            entry, known.below));
      } else if (!known.actions.empty() &&
                 std::find(known.actions.begin(), known.actions.end(), entry) == known.actions.end()) {
        texts.push_back(fmt::format("actionsAllowlist: \"{}\" is no action of {}{}", entry, bundle,
                                    did_you_mean(entry, known.actions)));
      }
    }
  }
  return texts;
}

Result<AllowedTask, Failure> allow(VerifiedTask&& task, const ActionsAllowlist& allowlist) {
  if (!allowlist.allows(task.bundle_id(), task.action_name())) {
    return tl::unexpected<Failure>(
        Failure{ErrorCode::action_error, refusal(task.bundle_id() + "." + task.action_name()), {}});
  }
  return AllowedTask(std::move(task));
}

}  // namespace par::core
