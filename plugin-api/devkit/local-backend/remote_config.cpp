#include "plugin-api/devkit/local-backend/remote_config.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/verify/wire/remote_config.pb.h"

namespace par::backend {
namespace {

using core::fail;

constexpr std::array k_role_damages = {"bad_signature", "unknown_key", "rollback",       "expired",
                                       "wrong_length",  "wrong_hash",  "mixed_versions", "missing_role"};
constexpr std::array k_answer_damages = {"file_wrong_hash", "file_wrong_length", "file_missing",
                                         "file_unlisted",   "malformed",         "empty"};
constexpr std::array k_roles = {"root", "timestamp", "snapshot", "targets"};
constexpr std::array k_repositories = {"director", "config", "both"};

template <typename List>
bool has(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

void fill(wire::TopMeta* meta, const TufDocument& document) {
  meta->set_version(document.version);
  meta->set_raw(document.raw);
}

template <typename Metas>
void fill_common(Metas* metas, const TufRepository& repository, uint64_t client_root_version) {
  for (const TufDocument& root : repository.roots) {
    if (root.version > client_root_version) fill(metas->add_roots(), root);
  }
  if (repository.timestamp.sent) fill(metas->mutable_timestamp(), repository.timestamp);
  if (repository.snapshot.sent) fill(metas->mutable_snapshot(), repository.snapshot);
}

}  // namespace

Result<void> check_damage(const RemoteConfigDamage& damage) {
  if (!has(k_role_damages, damage.kind) && !has(k_answer_damages, damage.kind))
    return fail(fmt::format("damage \"{}\" is unknown; there are {}, {}", damage.kind,
                            fmt::join(k_role_damages, ", "), fmt::join(k_answer_damages, ", ")));
  if (!has(k_roles, damage.role))
    return fail(fmt::format("role \"{}\" is unknown; there are {}", damage.role, fmt::join(k_roles, ", ")));
  if (!has(k_repositories, damage.repository))
    return fail(fmt::format("repository \"{}\" is unknown; there are {}", damage.repository,
                            fmt::join(k_repositories, ", ")));
  const bool in_parent =
      damage.kind == "wrong_length" || damage.kind == "wrong_hash" || damage.kind == "mixed_versions";
  if (in_parent && (damage.role == "root" || damage.role == "timestamp"))
    return fail(fmt::format("{} is what a parent states, and {} has none; use snapshot or targets",
                            damage.kind, damage.role));
  return {};
}

RemoteConfig::RemoteConfig(TufSigner signer, uint64_t version, int64_t org_id)
    : signer_(std::move(signer)), version_(version), org_id_(org_id) {}

void RemoteConfig::rotate_root() {
  signer_.rotate();
  ++version_;
}

void RemoteConfig::set_damage(RemoteConfigDamage damage) {
  damage_ = std::move(damage);
  ++version_;
}

Result<std::string> RemoteConfig::answer(std::string_view request, const Keyring& keys) const {
  wire::LatestConfigsRequest asked;
  if (!asked.ParseFromArray(request.data(), static_cast<int>(request.size())))
    return fail("the body is not a LatestConfigsRequest");
  if (damage_.kind == "malformed") return std::string("\x0a\xff\xff\xff\xff\x0fthis is no message");
  if (damage_.kind == "empty") return std::string();

  std::vector<TufFile> files;
  for (const auto& [id, key] : keys.all()) {
    if (key.published)
      files.push_back({fmt::format("datadog/{}/AP_RUNNER_KEYS/{}/config", org_id_, id), key.file});
  }
  const auto build = [&](std::string_view repository) {
    const bool struck = damage_.repository == "both" || damage_.repository == repository;
    return signer_.build(version_, files, struck ? TufDamage{damage_.kind, damage_.role} : TufDamage{});
  };
  const TufRepository config = build("config");
  const TufRepository director = build("director");

  wire::LatestConfigsResponse response;
  fill_common(response.mutable_config_metas(), config, asked.current_config_root_version());
  if (config.targets.sent) fill(response.mutable_config_metas()->mutable_top_targets(), config.targets);
  fill_common(response.mutable_director_metas(), director, asked.current_director_root_version());
  if (director.targets.sent) fill(response.mutable_director_metas()->mutable_targets(), director.targets);
  if (damage_.kind == "file_unlisted")
    files.push_back(
        {fmt::format("datadog/{}/AP_RUNNER_KEYS/unlisted/config", org_id_), R"({"keyType":"ED25519"})"});
  if (damage_.kind == "file_missing") files.clear();
  for (TufFile& file : files) {
    wire::File* const sent = response.add_target_files();
    sent->set_path(std::move(file.path));
    sent->set_raw(std::move(file.raw));
  }
  return response.SerializeAsString();
}

std::string describe_request(std::string_view request) {
  wire::LatestConfigsRequest asked;
  if (!asked.ParseFromArray(request.data(), static_cast<int>(request.size())))
    return "not a LatestConfigsRequest";
  std::string states;
  std::string problem = asked.error();
  for (const auto& client : asked.active_clients()) {
    states += fmt::format(" client {} {}: targets version {}, {} configs", client.client_agent().name(),
                          client.client_agent().version(), client.state().targets_version(),
                          client.state().config_states_size());
    if (problem.empty()) problem = client.state().error();
  }
  return fmt::format(
      "hostname {}, agent {}, products {}, snapshot version {}, root versions {} (config) {} "
      "(director),{}{}{}",
      asked.hostname(), asked.agent_version(), fmt::join(asked.products(), " "),
      asked.current_config_snapshot_version(), asked.current_config_root_version(),
      asked.current_director_root_version(), states, problem.empty() ? "" : ", error: ", problem);
}

}  // namespace par::backend
