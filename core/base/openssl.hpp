#pragma once

#include <climits>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>

// libcrypto's objects with owners. OpenSSL's headers are heavy: for .cpp files, and headers of tests.

namespace par::core::openssl {

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};

using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using BigNumber = std::unique_ptr<BIGNUM, Release<BN_clear_free>>;  ///< wiped when freed
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using CertificateExtension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using CertificateStore = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using ParamsBuilder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;

inline const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
const unsigned char* bytes(const char*) = delete;  // a pointer would be measured by its NUL
inline unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

/// Reads from `text`, which must outlive it. Null if memory is short or the text is larger than OpenSSL can
/// count.
inline Bio reader(std::string_view text) {
  if (text.size() > INT_MAX) return nullptr;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// An empty buffer to write into. Null if memory is short.
inline Bio buffer() {
  return Bio(BIO_new(BIO_s_mem()));
}

/// What was written into a buffer().
inline std::string content(const Bio& buffer) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(buffer.get(), &data);
  return {data, static_cast<size_t>(size)};
}

/// For PEM readers: no password, instead of a question on the terminal.
inline int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace par::core::openssl
