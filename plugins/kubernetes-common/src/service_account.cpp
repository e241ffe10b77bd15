#include "service_account.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

#include <par/sdk/error.hpp>

#include "files.hpp"

namespace kubernetes {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string needed_file(const std::filesystem::path& path) {
  FileContent content = read_file(path);
  if (content.problem.empty() && trimmed(content.text).empty()) content.problem = "the file is empty";
  if (content.problem.empty()) return std::move(content.text);
  throw par::Error("the service account of the runner's pod cannot be used: " + path.native() + ": " +
                   content.problem + "; is automountServiceAccountToken off?");
}

}  // namespace

Cluster service_account_cluster(const std::filesystem::path& directory) {
  const std::string host = variable("KUBERNETES_SERVICE_HOST");
  const std::string port = variable("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    throw par::Error(
        "this connection uses the service account of the runner's pod, but the runner is in no Kubernetes "
        "cluster: the variables KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set (the token "
        "was "
        "expected in " +
        (directory / "token").native() +
        "); run it in a cluster, or use a connection with the token \"context\", which names a context of "
        "the "
        "kubeconfig");
  }
  Cluster cluster;
  const bool ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  cluster.server = "https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port;
  cluster.origin = "service account in " + directory.native();
  cluster.set_token(trimmed(needed_file(directory / "token")));
  cluster.ca_pem = needed_file(directory / "ca.crt");
  return cluster;
}

}  // namespace kubernetes
