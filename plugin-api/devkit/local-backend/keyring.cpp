#include "plugin-api/devkit/local-backend/keyring.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/base/encoding.hpp"

namespace par::backend {
namespace {

bool is_plain(std::string_view id) {
  return !id.empty() && id.size() <= 128 && id.front() != '.' &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_' || c == '.';
         });
}

}  // namespace

Result<KeyType> parse_key_type(std::string_view name) {
  if (name == "ed25519") return KeyType::ed25519;
  if (name == "rsa") return KeyType::rsa;
  return core::fail(fmt::format("key type \"{}\" is unknown; use ed25519 or rsa", name));
}

std::string_view name_of(KeyType type) {
  return type == KeyType::rsa ? "rsa" : "ed25519";
}

Result<SigningKey*> Keyring::put(const std::string& id, std::optional<KeyType> type) {
  if (!is_plain(id))
    return core::fail(fmt::format("key id \"{}\" must be made of letters, digits, '-', '_' and '.'", id));
  SigningKey* const known = find(id);
  if (known != nullptr && (!type || *type == known->type)) return known;
  SigningKey made;
  made.type = type.value_or(KeyType::ed25519);
  made.key = made.type == KeyType::rsa ? make_rsa_key() : make_ed25519_key();
  made.file = key_file(made.type, made.key, id);
  return &keys_.insert_or_assign(id, std::move(made)).first->second;
}

SigningKey* Keyring::find(std::string_view id) {
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : &found->second;
}

std::string Keyring::free_id() const {
  for (size_t number = keys_.size() + 1;; ++number) {
    std::string id = fmt::format("key-{}", number);
    if (keys_.find(id) == keys_.end()) return id;
  }
}

std::string key_file(KeyType type, const Key& key, const std::string& id) {
  const std::string pem = type == KeyType::rsa ? self_signed_certificate(key, id) : public_pem(key);
  return fmt::format(R"({{"keyType":"{}","key":"{}"}})", type == KeyType::rsa ? "X509_RSA" : "ED25519",
                     core::base64_encode(pem));
}

std::string sign_digest(const SigningKey& key, std::string_view digest) {
  return key.type == KeyType::rsa ? sign_rsa_pss(key.key, digest) : sign_ed25519(key.key, digest);
}

}  // namespace par::backend
