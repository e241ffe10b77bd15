#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "plugin-api/devkit/local-backend/crypto.hpp"
#include "plugin-api/devkit/local-backend/enrollment.hpp"
#include "plugin-api/devkit/local-backend/keyring.hpp"
#include "plugin-api/devkit/local-backend/tuf.hpp"

namespace par::backend {

/// What outlives the process: identity, keys, certificates and versions, in DIR/state.json.
struct State {
  int64_t org_id = 0;
  std::string runner_id;
  Key runner_key;
  std::vector<EnrolledRunner> enrolled;  ///< beside the one above
  std::string api_key;                   ///< what an enrollment with keys has to bring
  std::string app_key;
  ServerCertificate certificate;
  Keyring keys;
  TufSigner tuf = TufSigner::create();
  uint64_t remote_config_version = 1;

  std::string urn() const { return urn_of(runner_id); }
  std::string urn_of(std::string_view runner) const;
};

struct NewState {
  std::optional<int64_t> org_id;
  std::optional<std::string> runner_id;
  KeyType key_type = KeyType::ed25519;
};

/// Reads the state of `directory`, or makes one from `wanted`. Error: a state file that is damaged, or an
/// identity other than the one asked for.
Result<State> open_state(const std::filesystem::path& directory, const NewState& wanted);

/// Writes state.json and the key files of the published keys (others are removed).
Result<void> save_state(const std::filesystem::path& directory, const State& state);

/// Where a running backend listens and how its config.yaml looks.
struct Endpoint {
  uint16_t port = 0;
  uint16_t control_port = 0;
  std::string control_token;
  bool plain_http = false;
  bool remote_config = false;
  std::vector<std::string> allow;

  std::string url() const;
};

/// Writes ca.pem, root.json, config.yaml, task.example.json and, last, endpoint.json.
Result<void> write_files(const std::filesystem::path& directory, const State& state,
                         const Endpoint& endpoint);

}  // namespace par::backend
