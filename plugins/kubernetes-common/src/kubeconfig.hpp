#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster.hpp"

namespace kubernetes {

/// How a program is run that prints credentials.
struct ExecPlugin {
  std::string api_version;
  std::string command;  ///< absolute, or a name for PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  bool provide_cluster_info = false;
  std::string cluster_config_json;  ///< what the cluster's extension holds for the program; may be empty
  std::string install_hint;
};

/// The entries of a kubeconfig, as they are written there. Paths are still relative to its folder.
struct Kubeconfig {
  struct ClusterEntry {
    std::string server, ca_file, ca_data, server_name, proxy;
    bool insecure = false;
    bool compress = true;
    std::string exec_config_json;
  };
  struct UserEntry {
    std::string certificate_file, certificate_data, key_file, key_data;
    std::string token, token_file, username, password;
    std::string auth_provider;                                       ///< name of what is no longer supported
    std::vector<std::pair<std::string, std::string>> impersonation;  ///< headers
    std::optional<ExecPlugin> exec;
  };
  struct ContextEntry {
    std::string cluster, user;
  };

  std::filesystem::path file;
  std::string current_context;
  std::map<std::string, ClusterEntry> clusters;
  std::map<std::string, UserEntry> users;
  std::map<std::string, ContextEntry> contexts;
};

/// Reads the text of the kubeconfig `file`. Throws par::Error that names file and place and quotes no values.
Kubeconfig parse_kubeconfig(const std::filesystem::path& file, const std::string& text);

/// A context's cluster with all files that it names read now, and the exec plugin that has to be run for
/// credentials, if there is one. `context` may be empty: the current one. Throws par::Error.
std::pair<Cluster, std::optional<ExecPlugin>> resolve_context(const Kubeconfig& config,
                                                              std::string_view context);

/// The kubeconfig in the home directory, parsed again when the file has changed. Any thread.
class KubeconfigFile {
 public:
  /// Throws par::Error that says where it was looked for.
  std::shared_ptr<const Kubeconfig> read();

 private:
  std::mutex mutex_;
  std::filesystem::path path_;
  std::string text_;
  std::shared_ptr<const Kubeconfig> parsed_;
};

}  // namespace kubernetes
