#pragma once

#include <map>
#include <string>
#include <vector>

namespace par::core {

/// An allowlist as the official Helm chart wants it: Kubernetes actions by resource and verb, from which the
/// chart makes both the allowlist's entries and the permissions (RBAC), and all others by their names.
struct ChartActions {
  std::map<std::string, std::vector<std::string>> kubernetes;  ///< such as deployments: [get, restart]
  std::vector<std::string> others;
  std::vector<std::string>
      without_permissions;      ///< of `others`: Kubernetes actions that the chart cannot name
  bool cluster_scoped = false;  ///< a resource that no Role, only a ClusterRole, can give access to
};
ChartActions split_for_chart(const std::vector<std::string>& actions);

}  // namespace par::core
