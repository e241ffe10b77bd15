#pragma once

#include <filesystem>

#include "cluster.hpp"

namespace kubernetes {

inline constexpr const char* k_service_account_directory = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The cluster in whose pod this process runs: address from the variables KUBERNETES_SERVICE_HOST and
/// KUBERNETES_SERVICE_PORT, `token` and `ca.crt` from `directory`, read now, since both are replaced from
/// time to time. Throws par::Error that says what was looked for and where.
Cluster service_account_cluster(const std::filesystem::path& directory = k_service_account_directory);

}  // namespace kubernetes
