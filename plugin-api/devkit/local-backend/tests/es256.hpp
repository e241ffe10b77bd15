#pragma once

#include <memory>
#include <string>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "core/base/encoding.hpp"
#include "plugin-api/devkit/local-backend/crypto.hpp"

namespace par::test {

/// A compact JWS as a runner makes it; only tests need to sign on that side.
inline std::string compact_jws(const backend::Key& key, const std::string& header,
                               const std::string& claims) {
  const std::string input = core::base64url_encode(header) + "." + core::base64url_encode(claims);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string der(128, '\0');
  size_t size = der.size();
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size,
                 reinterpret_cast<const unsigned char*>(input.data()), input.size());
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
  std::string raw(64, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + 32, 32);
  return input + "." + core::base64url_encode(raw);
}

}  // namespace par::test
