#pragma once

#include <string>

#include "core/base/encoding.hpp"
#include "core/base/openssl.hpp"
#include "plugin-api/devkit/local-backend/crypto.hpp"

namespace par::test {

/// A compact JWS as a runner makes it; only tests need to sign on that side.
inline std::string compact_jws(const backend::Key& key, const std::string& header,
                               const std::string& claims) {
  const std::string input = core::base64url_encode(header) + "." + core::base64url_encode(claims);
  const core::openssl::DigestContext context(EVP_MD_CTX_new());
  std::string der(128, '\0');
  size_t size = der.size();
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  EVP_DigestSign(context.get(), core::openssl::bytes(der), &size, core::openssl::bytes(input), input.size());
  const unsigned char* at = core::openssl::bytes(der);
  const core::openssl::EcdsaSignature parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  std::string raw(64, '\0');
  unsigned char* const out = core::openssl::bytes(raw);
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + 32, 32);
  return input + "." + core::base64url_encode(raw);
}

}  // namespace par::test
