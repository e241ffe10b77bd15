#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <par/sdk/call.hpp>

#include "cluster.hpp"
#include "kubeconfig.hpp"

namespace kubernetes {

/// What an exec plugin printed.
struct ExecCredential {
  std::string token;
  std::string certificate_pem;
  std::string key_pem;
  std::optional<std::time_t> expires;
};

/// Reads an ExecCredential. Throws par::Error that quotes nothing of it.
ExecCredential parse_exec_credential(std::string_view json, std::string_view api_version);

/// The value of KUBERNETES_EXEC_INFO.
std::string exec_info(const ExecPlugin& plugin, const Cluster& cluster);

/// A time such as 2026-01-02T03:04:05.5+01:00; nothing if it is malformed.
std::optional<std::time_t> parse_time(const std::string& text);

/// Runs exec plugins and keeps what they print until it expires or the server refuses it. Any thread; tasks
/// that need the same credentials wait for one run.
class ExecCredentials {
 public:
  /// Puts credentials into `cluster`, from memory or by a run of the plugin. Throws par::Error.
  void apply(const ExecPlugin& plugin, Cluster& cluster, const par::Call& call);
  /// Forgets everything unless it was made with this kubeconfig: its exec plugins may be others now.
  void keep_only_those_of(const std::shared_ptr<const Kubeconfig>& kubeconfig);
  /// The server refused those of `cluster`: the next apply() runs the plugin again, unless there are newer
  /// ones by now.
  void forget(const Cluster& cluster);

 private:
  struct Entry {
    std::timed_mutex running;  ///< held during a run, and for every access
    std::optional<ExecCredential> credential;
    uint64_t generation = 0;  ///< of the credential
  };

  std::shared_ptr<Entry> entry(const std::string& key);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::shared_ptr<const Kubeconfig> kubeconfig_;
  std::atomic<uint64_t> generations_{0};  ///< never one twice, whatever entry it was for
};

}  // namespace kubernetes
