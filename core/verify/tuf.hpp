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
#include "core/verify/tuf_document.hpp"

namespace par::core {

/// A file that a repository lists.
struct TufTarget {
  tuf::FileMeta meta;
  uint64_t custom_version = 0;  ///< custom.v; 0 if there is none
};

/// Documents as received; an empty text stands for a document that was not sent, for which the last one is
/// used.
struct TufDocuments {
  struct Delegated {
    std::string_view role;
    std::string_view text;
  };
  std::vector<std::string_view> roots;  ///< in the order of their versions
  std::string_view timestamp;
  std::string_view snapshot;
  std::string_view targets;
  std::vector<Delegated> delegated;
};

/// One TUF repository (The Update Framework) as last verified: root, timestamp, snapshot, targets, and one
/// level of delegated targets. Pure state without I/O. A value: update() makes the next state and leaves this
/// one as it was, so a refused update changes nothing.
class TufRepository {
 public:
  /// Starts from a root document that is trusted for reasons outside of it: it was configured, stored, or is
  /// the first one seen. It must be signed by itself. Its expiry does not matter, as newer roots may follow.
  /// `name` stands in error texts.
  static Result<TufRepository> trust(std::string name, std::string_view root);

  /// Verifies `documents` in the order root chain, timestamp, snapshot, targets, delegated targets:
  /// signatures to the threshold, versions that never go back, expiry at `now`, and version, length and hash
  /// as the parent lists them.
  Result<TufRepository> update(const TufDocuments& documents, SystemTime now) const;

  const std::string& root_text() const { return root_text_; }
  uint64_t root_version() const;
  uint64_t snapshot_version() const;  ///< 0 before the first update
  uint64_t targets_version() const;   ///< 0 before the first update

  /// The files that the targets list, by path.
  const std::map<std::string, TufTarget, std::less<>>& targets() const { return target_files_; }
  /// The file of that path in the targets, or in a delegated role that is responsible for the path.
  const TufTarget* find(std::string_view path) const;
  /// Member `name` of the targets' custom data if it is a text, else empty.
  std::string_view custom_text(std::string_view name) const;

 private:
  struct Delegation;
  using Files = std::map<std::string, TufTarget, std::less<>>;
  using Shared = std::shared_ptr<const tuf::Document>;

  Result<void> add_root(std::string_view text);
  Result<void> add_timestamp(std::string_view text, SystemTime now);
  Result<void> add_snapshot(std::string_view text, SystemTime now);
  Result<void> add_targets(std::string_view text, SystemTime now);
  Result<void> add_delegated(const std::vector<TufDocuments::Delegated>& sent, SystemTime now);
  Result<tuf::Role> role(std::string_view name) const;

  std::string name_;
  std::string root_text_, timestamp_text_, snapshot_text_, targets_text_;
  std::map<std::string, std::string, std::less<>> delegated_texts_;
  Shared root_, timestamp_, snapshot_, targets_;
  std::map<std::string, Shared, std::less<>> delegated_;
  Files target_files_;
  std::vector<std::shared_ptr<const Delegation>> delegations_;  ///< in the order of their precedence
};

}  // namespace par::core
