#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plugin-api/devkit/local-backend/keyring.hpp"

// The commands of par-local-backend; README.md describes them. Each returns the exit code.

namespace par::backend {

inline constexpr int k_exit_success = 0;
inline constexpr int k_exit_failure = 1;  ///< the task failed, or the command could not be carried out
inline constexpr int k_exit_usage = 2;
inline constexpr int k_exit_nothing_yet = 3;  ///< no outcome within the time

struct StartOptions {
  std::filesystem::path directory;
  uint16_t port = 0;
  uint16_t control_port = 0;
  bool plain_http = false;
  bool remote_config = false;
  bool background = false;
  std::vector<std::string> allow;
  KeyType key_type = KeyType::ed25519;
  std::optional<int64_t> org_id;
  std::optional<std::string> runner_id;
};
int start(StartOptions options);

struct ClientOptions {
  std::filesystem::path directory;
  std::string argument;  ///< file or task id
  int64_t timeout_s = 60;
  bool follow = false;
  bool json = false;
};
int enqueue(const ClientOptions& options);
int run(const ClientOptions& options);
int wait(const ClientOptions& options);
int events(const ClientOptions& options);
int stop(const ClientOptions& options);

/// Prints "par-local-backend: message" to standard error and returns k_exit_failure.
int complain(const std::string& message);

}  // namespace par::backend
