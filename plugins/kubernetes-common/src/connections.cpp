#include "connections.hpp"

#include "service_account.hpp"

namespace kubernetes {

Cluster Connections::open(const par::Connection& connection, const par::Call& call) {
  const auto& tokens = connection.root_tokens();
  Cluster cluster;
  if (tokens.empty()) {
    cluster = service_account_cluster();
  } else if (tokens.size() == 1 && tokens.front().name == "context") {
    auto [resolved, exec] = resolve_context(*kubeconfig_.read(), tokens.front().value);
    cluster = std::move(resolved);
    if (exec) exec_.apply(*exec, cluster, call);
  } else {
    std::string names;
    for (const auto& token : tokens) names += (names.empty() ? "" : ", ") + std::string(token.name);
    throw par::Error(
        "unsupported credentials: a Kubernetes connection has no tokens (service account of the "
        "runner's pod) or one named \"context\" (a context of the kubeconfig), but this one has: " +
        names);
  }
  if (!cluster.secret.empty()) call.secret(cluster.secret);
  return cluster;
}

bool Connections::refused(const Cluster& cluster) {
  if (cluster.exec_key.empty()) return false;
  exec_.forget(cluster);
  return true;
}

}  // namespace kubernetes
