#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace par::core {

template <auto function>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const noexcept {
    function(object);
  }
};

using SslPtr = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;

/// The reason of the oldest entry of this thread's error queue, which is emptied; "unknown reason" if it is
/// empty.
std::string take_openssl_error();

/// All certificates in a PEM text, other objects in it skipped. Empty if there is none or one cannot be read.
std::vector<X509Ptr> parse_certificates(std::string_view pem);

}  // namespace par::core
