#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/openssl.hpp"

// Keys that sign, for tests.

namespace par::core::testing {

inline void need(bool done) {
  if (!done) throw std::runtime_error("OpenSSL failed in a test");
}

/// The content of a key file.
inline std::string key_json(std::string_view type, std::string_view pem) {
  return fmt::format(R"({{"keyType":"{}","key":"{}"}})", type, base64_encode(pem));
}

class Ed25519Signer {
 public:
  /// A key made from one letter: the same letter, the same key.
  explicit Ed25519Signer(char letter) : Ed25519Signer(std::string(32, letter)) {}
  explicit Ed25519Signer(const std::string& seed)
      : key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, openssl::bytes(seed), seed.size())) {
    need(key_ != nullptr);
  }

  std::string sign(std::string_view message) const {
    const openssl::DigestContext context(EVP_MD_CTX_new());
    std::string signature(64, '\0');
    size_t size = signature.size();
    need(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestSign(context.get(), openssl::bytes(signature), &size, openssl::bytes(message),
                        message.size()) == 1);
    return signature;
  }
  std::string sign_digest_of(std::string_view data) const { return sign(sha256(data)); }

  std::string raw_public() const {
    std::string raw(32, '\0');
    size_t size = raw.size();
    need(EVP_PKEY_get_raw_public_key(key_.get(), openssl::bytes(raw), &size) == 1);
    return raw;
  }
  std::string public_pem() const {
    const openssl::Bio bio = openssl::buffer();
    need(PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
    return openssl::content(bio);
  }
  std::string json() const { return key_json("ED25519", public_pem()); }

 private:
  openssl::Key key_;
};

/// An RSA key with a self-signed certificate that expired in 1970, which must not matter.
class RsaSigner {
 public:
  RsaSigner() : key_(EVP_RSA_gen(2048)) { need(key_ != nullptr); }

  std::string sign_digest_of(std::string_view data, int salt_length = RSA_PSS_SALTLEN_DIGEST,
                             int padding = RSA_PKCS1_PSS_PADDING) const {
    const openssl::DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    need(EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key_.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(parameters, padding) == 1);
    if (padding == RSA_PKCS1_PSS_PADDING) {
      need(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_length) == 1);
    }
    std::string signature(256, '\0');
    size_t size = signature.size();
    need(EVP_DigestSign(context.get(), openssl::bytes(signature), &size, openssl::bytes(data), data.size()) ==
         1);
    return signature;
  }

  std::string certificate_pem() const {
    const openssl::Certificate certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), 0);
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), 1);
    need(X509_set_pubkey(certificate.get(), key_.get()) == 1 &&
         X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0);
    const openssl::Bio bio = openssl::buffer();
    need(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
    return openssl::content(bio);
  }
  std::string json() const { return key_json("X509_RSA", certificate_pem()); }

 private:
  openssl::Key key_;
};

}  // namespace par::core::testing
