#include "core/verify/remote_config_state.hpp"

#include <algorithm>
#include <climits>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/strings.hpp"
#include "core/verify/wire/remote_config.pb.h"

namespace par::core {
namespace {

constexpr const char* k_product = "AP_RUNNER_KEYS";
constexpr const char* k_agent_version = "7.50.0";  // the backend asks for one, and accepts this
constexpr const char* k_client_name = "private-action-runner";
constexpr size_t k_max_reported = 1000;

// The parts of datadog/<org>/<product>/<id>/<name> and employee/<product>/<id>/<name>.
struct ConfigPath {
  std::string_view org;  // empty in the second form
  std::string_view product;
  std::string_view id;
};

std::optional<ConfigPath> split_path(std::string_view path) {
  const auto parts = split(path, '/');
  for (const auto part : parts) {
    if (part.empty()) return std::nullopt;
  }
  if (parts.size() == 5 && parts[0] == "datadog") return ConfigPath{parts[1], parts[2], parts[3]};
  if (parts.size() == 4 && parts[0] == "employee") return ConfigPath{{}, parts[1], parts[2]};
  return std::nullopt;
}

bool same_content(const tuf::FileMeta& a, const tuf::FileMeta& b) {
  if (a.length != b.length) return false;
  if (!a.sha256.empty() && !b.sha256.empty()) return a.sha256 == b.sha256;
  return !a.sha512.empty() && a.sha512 == b.sha512;
}

template <typename Metas>
TufDocuments documents_of(const Metas& metas) {
  TufDocuments documents;
  for (const auto& root : metas.roots()) documents.roots.push_back(root.raw());
  documents.timestamp = metas.timestamp().raw();
  documents.snapshot = metas.snapshot().raw();
  return documents;
}

std::string_view shown(std::string_view path) {
  return cut_utf8(path, 200);
}

}  // namespace

Result<void> RemoteConfigState::trust(std::string_view config_root, std::string_view director_root) {
  auto config = TufRepository::trust("config", config_root);
  if (!config) return tl::unexpected(config.error());
  auto director = TufRepository::trust("director", director_root);
  if (!director) return tl::unexpected(director.error());
  repositories_ = Repositories{std::move(*config), std::move(*director)};
  return {};
}

std::string RemoteConfigState::request(SystemTime now) const {
  wire::LatestConfigsRequest request;
  request.set_hostname(client_.hostname);
  request.set_agent_version(k_agent_version);
  request.add_products(k_product);
  for (const auto& tag : client_.tags) request.add_tags(tag);
  wire::Client& client = *request.add_active_clients();
  client.set_id(client_.id);
  client.add_products(k_product);
  client.set_is_agent(true);
  client.mutable_client_agent()->set_name(k_client_name);
  client.mutable_client_agent()->set_version(client_.version);
  client.set_last_seen(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count()));
  wire::ClientState& state = *client.mutable_state();
  if (repositories_) {
    const auto& [config, director] = *repositories_;
    request.set_current_config_root_version(config.root_version());
    request.set_current_config_snapshot_version(config.snapshot_version());
    request.set_current_director_root_version(director.root_version());
    state.set_root_version(director.root_version());
    state.set_targets_version(director.targets_version());
    if (const auto opaque = base64_decode(director.custom_text("opaque_backend_state"))) {
      request.set_backend_client_state(*opaque);
      state.set_backend_client_state(*opaque);
    }
  }
  for (const auto& [path, file] : files_) {
    wire::ConfigState& held = *state.add_config_states();
    held.set_id(file.id);
    held.set_version(file.version);
    held.set_product(k_product);
  }
  if (!error_.empty()) {
    request.set_has_error(true);
    request.set_error(error_);
    state.set_has_error(true);
    state.set_error(error_);
  }
  return request.SerializeAsString();
}

Result<RemoteConfigState::Update> RemoteConfigState::apply(std::string_view answer, SystemTime now) {
  auto update = try_apply(answer, now);
  if (!update) {
    error_ = cut_utf8(update.error().message, k_max_reported);
  } else if (update->keys) {
    error_ =
        update->problems.empty() ? std::string() : std::string(cut_utf8(update->problems[0], k_max_reported));
  }
  return update;
}

Result<RemoteConfigState::Update> RemoteConfigState::try_apply(std::string_view answer, SystemTime now) {
  wire::LatestConfigsResponse message;
  if (answer.size() > INT_MAX || !message.ParseFromArray(answer.data(), static_cast<int>(answer.size()))) {
    return fail("the answer of Remote Configuration is not the expected protobuf message");
  }
  if (!message.has_config_metas() && !message.has_director_metas() && message.target_files().empty())
    return Update{};

  auto repositories = next_repositories(message, now);
  if (!repositories) return tl::unexpected(repositories.error());
  auto files = next_files(message, *repositories);
  if (!files) return tl::unexpected(files.error());

  Update update;
  auto keys = std::make_shared<KeySet>();
  for (const auto& [path, file] : *files) {
    if (auto key = VerifyingKey::from_json(file.content)) {
      keys->add(file.id, std::move(*key));
    } else {
      update.problems.push_back(fmt::format("signing key '{}': {}", shown(file.id), key.error().message));
    }
  }
  update.keys = std::move(keys);
  update.roots_changed = !repositories_ ||
                         repositories_->config.root_version() != repositories->config.root_version() ||
                         repositories_->director.root_version() != repositories->director.root_version();
  update.keys_changed = !std::ranges::equal(files_, *files, [](const auto& before, const auto& after) {
    return before.second.is_same_key(after.second);
  });
  repositories_ = std::move(*repositories);
  files_ = std::move(*files);
  return update;
}

Result<RemoteConfigState::Repositories> RemoteConfigState::next_repositories(
    const wire::LatestConfigsResponse& answer, SystemTime now) const {
  TufDocuments config_documents = documents_of(answer.config_metas());
  config_documents.targets = answer.config_metas().top_targets().raw();
  for (const auto& delegated : answer.config_metas().delegated_targets()) {
    config_documents.delegated.push_back({delegated.role(), delegated.raw()});
  }
  TufDocuments director_documents = documents_of(answer.director_metas());
  director_documents.targets = answer.director_metas().targets().raw();

  const auto start = [&](const char* name, const TufDocuments& documents,
                         TufRepository Repositories::*known) -> Result<TufRepository> {
    if (repositories_) return (*repositories_).*known;
    if (documents.roots.empty())
      return fail(fmt::format("{} repository, root: missing role: no root was sent", name));
    return TufRepository::trust(name, documents.roots.front());
  };
  auto config =
      start("config", config_documents, &Repositories::config).and_then([&](const TufRepository& known) {
        return known.update(config_documents, now);
      });
  if (!config) return tl::unexpected(config.error());
  auto director =
      start("director", director_documents, &Repositories::director)
          .and_then([&](const TufRepository& known) { return known.update(director_documents, now); });
  if (!director) return tl::unexpected(director.error());
  return Repositories{std::move(*config), std::move(*director)};
}

// The director says which files are ours; each must be the same in the config repository, which is signed
// offline.
Result<RemoteConfigState::KeyFiles> RemoteConfigState::next_files(const wire::LatestConfigsResponse& answer,
                                                                  const Repositories& repositories) const {
  const auto& listed = repositories.director.targets();
  std::map<std::string_view, const std::string*> sent;
  for (const auto& file : answer.target_files()) {
    if (!listed.contains(file.path())) {
      return fail(
          fmt::format("file '{}' was sent but the director repository does not list it", shown(file.path())));
    }
    sent.insert_or_assign(file.path(), &file.raw());
  }

  KeyFiles files;
  for (const auto& [path, target] : listed) {
    const auto refuse = [&, &path = path](std::string_view why) {
      return fail(fmt::format("file '{}': {}", shown(path), why));
    };
    const auto parts = split_path(path);
    if (!parts) return refuse("its path has an unknown form");
    if (parts->product != k_product) continue;
    if (!parts->org.empty() && parts->org != std::to_string(client_.org_id)) {
      return refuse(fmt::format("it belongs to another organisation than {}", client_.org_id));
    }
    const TufTarget* const same = repositories.config.find(path);
    if (same == nullptr) return refuse("the config repository does not list it");
    if (!same_content(target.meta, same->meta)) {
      return refuse("director and config repository list different contents");
    }
    KeyFile file{std::string(parts->id), {}, target.custom_version};
    const auto known = files_.find(path);
    if (const auto found = sent.find(path); found != sent.end()) {
      if (const auto checked = target.meta.check(*found->second); !checked)
        return refuse(checked.error().message);
      file.content = *found->second;
    } else if (known != files_.end() && target.meta.check(known->second.content)) {
      file.content = known->second.content;
    } else {
      return refuse("it is listed but was not sent");
    }
    files.emplace(path, std::move(file));
  }
  return files;
}

std::string RemoteConfigState::roots_text() const {
  return fmt::format("{{\"config\":{},\n\"director\":{}}}\n", repositories_->config.root_text(),
                     repositories_->director.root_text());
}

}  // namespace par::core
