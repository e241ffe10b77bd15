#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

struct evp_pkey_st;

// What Datadog's side does with keys, over OpenSSL. Deliberately apart from the runner's own code: a stand-in
// that shared it could not find its mistakes. Functions that only fail when memory or randomness runs out
// throw std::runtime_error.

namespace par::backend {

using core::Result;

/// A private or public key in OpenSSL's memory; copies share it.
using Key = std::shared_ptr<evp_pkey_st>;

Key make_ed25519_key();
Key make_rsa_key();  ///< 2048 bits
Key make_p256_key();
/// The Ed25519 key of a 32-byte seed.
Key ed25519_key_from_seed(std::string_view seed);

std::string private_pem(const Key& key);  ///< PKCS #8, not encrypted
std::string public_pem(const Key& key);   ///< SubjectPublicKeyInfo
Result<Key> private_key_from_pem(std::string_view pem);
Result<Key> public_key_from_pem(std::string_view pem);
/// The 32 bytes of an Ed25519 public key.
std::string raw_public_key(const Key& key);
/// A P-256 key as the runner's configuration wants it: base64url of a private JWK.
std::string private_jwk(const Key& key);

/// The P-256 public key of a point, given by two numbers of 32 bytes.
Result<Key> p256_public_key(std::string_view x, std::string_view y);
bool is_p256(const Key& key);
/// The RFC 7638 thumbprint of a P-256 key, base64url.
std::string thumbprint(const Key& key);

/// Plain Ed25519: 64 bytes.
std::string sign_ed25519(const Key& key, std::string_view message);
/// RSASSA-PSS with SHA-256 over a digest that is already there.
std::string sign_rsa_pss(const Key& key, std::string_view digest);
/// Checks an ES256 signature in the form of JOSE: r and s, 32 bytes each.
bool verify_es256(const Key& key, std::string_view message, std::string_view signature);

/// A certificate of `key` signed by itself, as PEM; its dates do not matter to anybody.
std::string self_signed_certificate(const Key& key, const std::string& name);

/// A CA made for this directory and a server certificate for localhost, 127.0.0.1 and ::1 under it; all PEM.
/// The CA's private key is thrown away.
struct ServerCertificate {
  std::string ca;
  std::string certificate;
  std::string private_key;
};
ServerCertificate make_server_certificate();

}  // namespace par::backend
