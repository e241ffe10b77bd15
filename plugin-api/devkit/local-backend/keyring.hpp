#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "plugin-api/devkit/local-backend/crypto.hpp"

namespace par::backend {

/// Numbers as in the signature's key_type.
enum class KeyType : int { rsa = 1, ed25519 = 2 };

Result<KeyType> parse_key_type(std::string_view name);
std::string_view name_of(KeyType type);

/// A key that signs tasks. One that is not published can still sign, so that tasks by a withdrawn key can be
/// made.
struct SigningKey {
  KeyType type = KeyType::ed25519;
  Key key;
  std::string file;  ///< content of its key file, normally {"keyType", "key"}
  bool published = true;
};

/// All signing keys by id, and which of them signs tasks that ask for none.
class Keyring {
 public:
  /// Makes or changes the key `id`. An existing key of another type is replaced. Error: an id that cannot be
  /// a file name and a segment of a Remote Config path.
  Result<SigningKey*> put(const std::string& id, std::optional<KeyType> type);
  /// Adds a key that was made before.
  void restore(const std::string& id, SigningKey key) { keys_.insert_or_assign(id, std::move(key)); }

  SigningKey* find(std::string_view id);
  const std::map<std::string, SigningKey, std::less<>>& all() const { return keys_; }

  const std::string& signing_id() const { return signing_id_; }
  void sign_with(const std::string& id) { signing_id_ = id; }
  /// An id that no key has yet.
  std::string free_id() const;

 private:
  std::map<std::string, SigningKey, std::less<>> keys_;
  std::string signing_id_;
};

/// The content of a key file for `key`.
std::string key_file(KeyType type, const Key& key, const std::string& id);

/// Signs the SHA-256 `digest` of a task: Ed25519 takes it as the message, RSA as the hash of PSS.
std::string sign_digest(const SigningKey& key, std::string_view digest);

}  // namespace par::backend
