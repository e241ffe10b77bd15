#include "connections.hpp"

#include "service_account.hpp"

namespace kubernetes {

Cluster Connections::open(const par::Connection& connection, const par::Call& call) {
  const auto& tokens = connection.root_tokens();
  Cluster cluster;
  if (tokens.empty()) {
    cluster = service_account_cluster();
  } else if (tokens.size() == 1 && tokens.front().name == "context") {
    const auto kubeconfig = kubeconfig_.read();
    exec_.keep_only_those_of(kubeconfig);
    auto [resolved, exec] = resolve_context(*kubeconfig, tokens.front().value);
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
  if (!cluster.authorization.empty()) {
    // What stands after the scheme: the token, or the encoded user name and password.
    const std::string sent = cluster.authorization.substr(cluster.authorization.find(' ') + 1);
    call.secret(sent);
    if (!cluster.secret.empty() && cluster.secret != sent) call.secret(cluster.secret);
  }
  return cluster;
}

bool Connections::refused(const Cluster& cluster) {
  if (cluster.exec_key.empty()) return false;
  exec_.forget(cluster);
  return true;
}

}  // namespace kubernetes
