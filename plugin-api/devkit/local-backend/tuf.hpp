#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin-api/devkit/local-backend/crypto.hpp"

namespace par::backend {

/// The documents of one TUF repository, as they go over the wire.
struct TufDocument {
  uint64_t version = 0;
  std::string raw;
  bool sent = true;
};

/// What can be wrong with a repository on purpose; the names are those of the control API.
struct TufDamage {
  std::string kind;  ///< empty: nothing
  std::string role = "targets";
};

struct TufFile {
  std::string path;
  std::string raw;
};

struct TufRepository {
  std::vector<TufDocument> roots;  ///< all versions, oldest first
  TufDocument timestamp;
  TufDocument snapshot;
  TufDocument targets;
};

/// Writes and signs TUF documents: one Ed25519 key for all four roles, threshold 1. Signed bytes are
/// canonical JSON.
class TufSigner {
 public:
  /// A new repository: one key, root version 1.
  static TufSigner create();
  /// As it was saved: all keys so far (oldest first) and all root documents.
  TufSigner(std::vector<Key> keys, std::vector<std::string> roots);

  /// Adds a root document with a new key, signed by the old and the new one; later documents use the new key.
  void rotate();

  const std::vector<Key>& keys() const { return keys_; }
  const std::vector<std::string>& roots() const { return roots_; }

  /// A repository of `version` that lists `files`, damaged as told.
  TufRepository build(uint64_t version, const std::vector<TufFile>& files, const TufDamage& damage) const;

 private:
  TufSigner() = default;
  std::string root(uint64_t version, const Key& key, const std::vector<Key>& signers, bool expired,
                   bool damage) const;
  void add_damaged_root(TufRepository& repository, const std::string& kind) const;

  std::vector<Key> keys_;
  std::vector<std::string> roots_;
};

/// The id of a TUF key: hex SHA-256 of its canonical JSON.
std::string tuf_key_id(const Key& key);

}  // namespace par::backend
