#include "core/enrollment/kubernetes_actions.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace par::core {
namespace {

constexpr std::string_view k_prefix = "com.datadoghq.kubernetes.";

struct Resource {
  std::string_view bundle;
  std::string_view name;  // the chart's key
  bool cluster_scoped = false;
};

constexpr Resource k_resources[] = {{"apiextensions", "customResourceDefinitions", true},
                                    {"apps", "controllerRevisions"},
                                    {"apps", "daemonSets"},
                                    {"apps", "deployments"},
                                    {"apps", "replicaSets"},
                                    {"apps", "statefulSets"},
                                    {"batch", "cronJobs"},
                                    {"batch", "jobs"},
                                    {"core", "configMaps"},
                                    {"core", "endpoints"},
                                    {"core", "events"},
                                    {"core", "limitRanges"},
                                    {"core", "namespaces", true},
                                    {"core", "nodes", true},
                                    {"core", "persistentVolumes", true},
                                    {"core", "persistentVolumeClaims"},
                                    {"core", "pods"},
                                    {"core", "podTemplates"},
                                    {"core", "replicationControllers"},
                                    {"core", "resourceQuotas"},
                                    {"core", "services"},
                                    {"core", "serviceAccounts"},
                                    {"customresources", "customObjects"}};
constexpr std::string_view k_verbs[] = {"get",   "list",   "create",        "update",
                                        "patch", "delete", "deleteMultiple"};
constexpr std::string_view k_deployment_verbs[] = {"restart", "rollback", "scale"};

// Deployments -> Deployment; endpoints have no singular.
std::string kind_of(const Resource& resource) {
  std::string kind(resource.name);
  kind[0] = static_cast<char>(kind[0] - ('a' - 'A'));
  if (resource.name != "endpoints") kind.pop_back();
  return kind;
}

struct ChartEntry {
  const Resource* resource;
  std::string_view verb;
};

std::optional<ChartEntry> find_entry(std::string_view action) {
  if (!action.starts_with(k_prefix)) return std::nullopt;
  action.remove_prefix(k_prefix.size());
  for (const Resource& resource : k_resources) {
    if (!action.starts_with(resource.bundle) || action.substr(resource.bundle.size(), 1) != ".") continue;
    const std::string_view name = action.substr(resource.bundle.size() + 1);
    const std::string kind = kind_of(resource);
    const auto is = [&](std::string_view verb) {
      if (!name.starts_with(verb)) return false;
      const std::string_view rest = name.substr(verb.size());
      if (verb != "deleteMultiple") return rest == kind;
      return rest == kind + "s" || (resource.name == "endpoints" && rest == kind);
    };
    for (const std::string_view verb : k_verbs) {
      if (is(verb)) return ChartEntry{&resource, verb};
    }
    if (resource.name != "deployments") continue;
    for (const std::string_view verb : k_deployment_verbs) {
      if (is(verb)) return ChartEntry{&resource, verb};
    }
  }
  return std::nullopt;
}

}  // namespace

ChartActions split_for_chart(const std::vector<std::string>& actions) {
  ChartActions split;
  // The chart's own default would allow two actions that nobody asked for.
  split.kubernetes["pods"];
  for (const std::string& action : actions) {
    const auto entry = find_entry(action);
    if (!entry) {
      split.others.push_back(action);
      // testConnection reads what every service account may read.
      if (action.starts_with(k_prefix) && !action.ends_with(".testConnection"))
        split.without_permissions.push_back(action);
      continue;
    }
    auto& verbs = split.kubernetes[std::string(entry->resource->name)];
    if (std::find(verbs.begin(), verbs.end(), entry->verb) == verbs.end()) verbs.emplace_back(entry->verb);
    split.cluster_scoped = split.cluster_scoped || entry->resource->cluster_scoped;
  }
  return split;
}

}  // namespace par::core
