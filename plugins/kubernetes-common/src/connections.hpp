#pragma once

#include <par/connection.hpp>
#include <par/sdk/call.hpp>

#include "cluster.hpp"
#include "exec_credentials.hpp"
#include "kubeconfig.hpp"

namespace kubernetes {

/// Finds out which cluster a task's connection means. Any thread.
class Connections {
 public:
  /// Reads whatever files it needs now, so that replaced tokens and certificates count at once. Secrets are
  /// registered with the call. Throws par::Error.
  Cluster open(const par::Connection& connection, const par::Call& call);

  /// The server refused the cluster's credentials. True if others may be had by open().
  bool refused(const Cluster& cluster);

 private:
  KubeconfigFile kubeconfig_;
  ExecCredentials exec_;
};

}  // namespace kubernetes
