#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "plugin-api/devkit/local-backend/keyring.hpp"
#include "plugin-api/devkit/local-backend/tuf.hpp"

namespace par::backend {

/// What is wrong with Remote Config's answers; see README.md for the names.
struct RemoteConfigDamage {
  std::string kind;  ///< empty: nothing
  std::string role = "targets";
  std::string repository = "both";
};

/// Checks the names. Error: an unknown one, with those that exist.
Result<void> check_damage(const RemoteConfigDamage& damage);

/// Remote Config's side: answers with the full set of published keys in two TUF repositories of the same
/// content.
class RemoteConfig {
 public:
  RemoteConfig(TufSigner signer, uint64_t version, int64_t org_id);

  /// The keys have changed: the next answer has a new version.
  void touch() { ++version_; }
  void rotate_root();
  /// Later answers are damaged so, in a version of their own; the version after the damage is newer again.
  void set_damage(RemoteConfigDamage damage);

  uint64_t version() const { return version_; }
  const TufSigner& signer() const { return signer_; }
  const RemoteConfigDamage& damage() const { return damage_; }

  /// The answer to a LatestConfigsRequest (both protobuf). Root documents that the client says it has are
  /// left out.
  Result<std::string> answer(std::string_view request, const Keyring& keys) const;

 private:
  TufSigner signer_;
  uint64_t version_;
  int64_t org_id_;
  RemoteConfigDamage damage_;
};

/// The request as JSON-like text for the event log.
std::string describe_request(std::string_view request);

}  // namespace par::backend
