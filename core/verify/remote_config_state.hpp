#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/verify/keys.hpp"
#include "core/verify/tuf.hpp"

namespace par::wire {
class LatestConfigsResponse;
}

namespace par::core {

/// Who asks for configurations.
struct RemoteConfigClient {
  std::string hostname;
  std::string id;       ///< random, the same for all requests of this process
  std::string version;  ///< of the runner, as reported to Datadog
  std::vector<std::string> tags;
  int64_t org_id = 0;
};

/// What is known from Remote Configuration: two TUF repositories (config and director) and the key files that
/// both list. Pure state: makes requests and takes answers as bytes.
class RemoteConfigState {
 public:
  explicit RemoteConfigState(RemoteConfigClient client) : client_(std::move(client)) {}

  /// Starts both repositories from trusted root documents.
  Result<void> trust(std::string_view config_root, std::string_view director_root);
  bool has_trust() const { return repositories_.has_value(); }

  /// A serialised LatestConfigsRequest with everything that the backend should know: versions, the keys held,
  /// and what went wrong with the last answer.
  std::string request(SystemTime now) const;

  struct Update {
    std::shared_ptr<const KeySet> keys;  ///< null: nothing new was sent, or only newer proofs of the same
    std::vector<std::string> problems;   ///< one for each key file that does not decode; it was skipped
    bool keys_changed = false;           ///< a key came, went, or has another content
    bool roots_changed = false;          ///< they are to be stored if trust began with the first answer
  };

  /// Takes a serialised LatestConfigsResponse. Without trust the first root in it is trusted. On an error
  /// nothing has changed but what the next request reports.
  Result<Update> apply(std::string_view answer, SystemTime now);

  /// {"config": root, "director": root} as last verified. Needs trust.
  std::string roots_text() const;

 private:
  struct Repositories {
    TufRepository config;
    TufRepository director;
  };
  struct KeyFile {
    std::string id;
    std::string content;
    uint64_t version = 0;
    bool is_same_key(const KeyFile& other) const { return id == other.id && content == other.content; }
  };
  using KeyFiles = std::map<std::string, KeyFile, std::less<>>;  // by path

  Result<Update> try_apply(std::string_view answer, SystemTime now);
  Result<Repositories> next_repositories(const wire::LatestConfigsResponse& answer, SystemTime now) const;
  Result<KeyFiles> next_files(const wire::LatestConfigsResponse& answer,
                              const Repositories& repositories) const;

  RemoteConfigClient client_;
  std::optional<Repositories> repositories_;
  KeyFiles files_;
  std::string error_;
};

}  // namespace par::core
