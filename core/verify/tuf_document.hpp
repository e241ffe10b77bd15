#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace par::core::tuf {

/// Who may sign for a role: raw Ed25519 public keys (so that one key under two ids counts once), and how many
/// of them must.
struct Role {
  std::map<std::string, std::string, std::less<>> keys;  ///< key id -> 32 raw bytes
  uint64_t threshold = 0;
};

/// What a document says about another document or file.
struct FileMeta {
  uint64_t version = 0;  ///< of a document
  bool has_length = false;
  uint64_t length = 0;
  std::string sha256;  ///< lower-case hex; empty if none is given
  std::string sha512;

  /// The error says what differs.
  Result<void> check(std::string_view content) const;
};

/// A signed TUF document. Nothing in it can be trusted until check_signatures() has passed.
class Document {
 public:
  /// Reads {"signatures": [...], "signed": {...}}. `type` must be the signed part's _type. Refuses duplicate
  /// names and fractions anywhere.
  static Result<Document> parse(std::string_view text, std::string_view type);

  /// Enough different keys of `role` must have signed.
  Result<void> check_signatures(const Role& role) const;
  /// The error names the date.
  Result<void> check_expiry(SystemTime now) const;

  uint64_t version() const { return version_; }
  /// The signed part.
  const json::Value& content() const { return *json::find(document_, "signed"); }
  /// The bytes that are signed; equal bytes are the same document.
  const std::string& canonical() const { return canonical_; }

 private:
  struct Signature {
    std::string key_id;
    std::string bytes;
  };

  json::Document document_;
  std::string canonical_;
  std::vector<Signature> signatures_;
  uint64_t version_ = 0;
  SystemTime expires_;
};

/// Reads role `name` of a root's or delegation's `roles` with the keys of its `keys`; every key's id must be
/// the hash of its content.
Result<Role> read_role(const json::Value& keys, const json::Value& role, std::string_view name);

/// Reads an entry of `meta` or `targets`. A version is needed only in `meta`.
Result<FileMeta> read_file_meta(const json::Value& entry, bool needs_version);

}  // namespace par::core::tuf
