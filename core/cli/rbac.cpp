#include "core/cli/rbac.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/base/json.hpp"
#include "core/plugin/catalog.hpp"
#include "core/policy/allowlist.hpp"

namespace par::core {
namespace {

using Names = std::set<std::string>;

/// Verbs by API group and resource.
using Rights = std::map<std::pair<std::string, std::string>, Names>;

struct Roles {
  Rights in_namespaces;
  Rights in_cluster;
};

bool is_text(const json::Value* value) {
  return value != nullptr && value->IsString();
}

/// Adds one entry of an action's `rbac`; false if it is malformed.
bool add_entry(const json::Value& entry, Roles& roles) {
  const json::Value* const group = json::find(entry, "apiGroup");
  const json::Value* const resource = json::find(entry, "resource");
  const json::Value* const verbs = json::find(entry, "verbs");
  const json::Value* const namespaced = json::find(entry, "namespaced");
  if (!is_text(group) || !is_text(resource) || verbs == nullptr || !verbs->IsArray()) return false;
  if (namespaced == nullptr || !namespaced->IsBool()) return false;
  Rights& rights = namespaced->GetBool() ? roles.in_namespaces : roles.in_cluster;
  Names& names = rights[{std::string(json::text(*group)), std::string(json::text(*resource))}];
  for (const json::Value& verb : verbs->GetArray()) {
    if (!verb.IsString()) return false;
    names.emplace(json::text(verb));
  }
  return true;
}

bool add_action(const ActionManifest& action, Roles& roles) {
  const auto facts = parse_json(action.extra_json);
  const json::Value* const rbac = facts ? json::find(*facts, "rbac") : nullptr;
  if (rbac == nullptr) return true;
  return rbac->IsArray() && std::all_of(rbac->Begin(), rbac->End(),
                                        [&](const json::Value& entry) { return add_entry(entry, roles); });
}

std::string flow_list(const Names& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? "" : ", ";
    text += json::write(json::Value(rapidjson::StringRef(name.data(), name.size())));
  }
  return "[" + text + "]";
}

void append_role(std::string& text, const char* kind, const Rights& rights) {
  if (rights.empty()) return;
  // Resources that need the same make one rule.
  std::map<std::pair<std::string, Names>, Names> rules;
  for (const auto& [resource, verbs] : rights) rules[{resource.first, verbs}].insert(resource.second);
  text += fmt::format(
      "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {}\nmetadata:\n  name: par-runner\nrules:\n",
      kind);
  for (const auto& [rule, resources] : rules) {
    text += fmt::format("  - apiGroups: {}\n    resources: {}\n    verbs: {}\n", flow_list({rule.first}),
                        flow_list(resources), flow_list(rule.second));
  }
}

}  // namespace

Result<std::string> rbac_yaml(const Catalog& catalog, const ActionsAllowlist& allowlist) {
  Roles roles;
  for (const auto& [plugin_namespace, entry] : catalog.entries()) {
    if (!entry.manifest) continue;
    for (const ActionManifest& action : entry.manifest->actions) {
      if (!allowlist.allows(plugin_namespace, action.name) || add_action(action, roles)) continue;
      return fail(
          fmt::format("{}: the manifest's rbac of action {} is not a list of objects with apiGroup, "
                      "resource, verbs and namespaced",
                      entry.file.native(), action.name));
    }
  }
  if (roles.in_namespaces.empty() && roles.in_cluster.empty()) {
    return std::string("# No action of actionsAllowlist needs rights in Kubernetes.\n");
  }
  std::string text =
      "# What the actions of actionsAllowlist need. Bind it to the account of the runner: a Role in each "
      "namespace "
      "that\n# actions may work in, a ClusterRole in the cluster. Lists of all namespaces need the Role's "
      "rules in "
      "the\n# cluster, too.\n";
  append_role(text, "Role", roles.in_namespaces);
  append_role(text, "ClusterRole", roles.in_cluster);
  return text;
}

}  // namespace par::core
