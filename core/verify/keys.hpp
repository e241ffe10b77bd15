#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace par::core {

/// A key that verifies tasks.
class VerifyingKey {
 public:
  enum class Type { x509_rsa = 1, ed25519 = 2 };

  /// Reads the content of a key file: {"keyType": "ED25519"|"X509_RSA", "key": base64 of a PEM text}. For
  /// ED25519 the PEM is a public key, for X509_RSA a certificate whose dates and chain do not matter.
  static Result<VerifyingKey> from_json(std::string_view text);

  Type type() const { return type_; }
  /// Checks `signature` over the SHA-256 `digest`: Ed25519 with the digest as message, or RSA-PSS with
  /// SHA-256.
  bool verify_digest(std::string_view digest, std::string_view signature) const;

 private:
  struct Key;
  VerifyingKey(Type type, std::shared_ptr<const Key> key) : type_(type), key_(std::move(key)) {}
  Type type_;
  std::shared_ptr<const Key> key_;
};

/// The keys of one moment, by key id. Never changed once shared; an update makes a new one.
class KeySet {
 public:
  void add(std::string id, VerifyingKey key) { keys_.insert_or_assign(std::move(id), std::move(key)); }
  const VerifyingKey* find(std::string_view id) const {
    const auto found = keys_.find(id);
    return found == keys_.end() ? nullptr : &found->second;
  }
  /// All ids in alphabetical order, for the log.
  std::string ids() const;
  bool empty() const { return keys_.empty(); }
  size_t size() const { return keys_.size(); }

 private:
  std::map<std::string, VerifyingKey, std::less<>> keys_;
};

/// Where verifying keys come from: Remote Config, or a directory. Works on the control thread.
class KeySource {
 public:
  virtual ~KeySource() = default;
  /// Starts looking for keys; `changed` is called on the control thread with each new full set. Errors are
  /// logged, and the last good set stays.
  virtual void start(std::function<void(std::shared_ptr<const KeySet>)> changed) = 0;
  /// Ends all activity.
  virtual void stop() = 0;
  /// The likely cause that there is no usable key, for readiness, log and --check; empty when all is well.
  virtual std::string problem() const = 0;
};

}  // namespace par::core
