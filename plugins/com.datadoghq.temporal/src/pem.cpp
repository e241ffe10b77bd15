#include "pem.hpp"

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <par/plugin.hpp>

namespace temporal_plugin {
namespace {

template <auto release>
struct Release {
  template <typename Object>
  void operator()(Object* object) const {
    release(object);
  }
};
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;

Bio reader(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

[[noreturn]] void refuse(std::string_view token, const char* problem) {
  ERR_clear_error();
  throw par::Error("the connection's token \"" + std::string(token) + "\" " + problem);
}

// The first certificate of the text.
Certificate certificates(std::string_view token, std::string_view pem) {
  const Bio bio = reader(pem);
  Certificate first;
  while (true) {
    ERR_clear_error();
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    if (first == nullptr) first = std::move(next);
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    refuse(token, "holds a certificate that is damaged; paste the PEM text as it is, with its line breaks");
  if (first == nullptr)
    refuse(token, "holds no certificate; expected PEM text that begins with -----BEGIN CERTIFICATE-----");
  ERR_clear_error();
  return first;
}

// OpenSSL would otherwise ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

void require_certificates(std::string_view token, std::string_view pem) {
  certificates(token, pem);
}

void require_key_pair(std::string_view certificate_pem, std::string_view key_pem) {
  constexpr std::string_view k_key = "clientCertPairKey";
  const Certificate certificate = certificates("clientCertPairCrt", certificate_pem);
  bool encrypted = false;
  const Bio bio = reader(key_pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &encrypted));
  if (encrypted) refuse(k_key, "is encrypted; store the key without a passphrase");
  if (key == nullptr)
    refuse(k_key, "holds no private key; expected PEM text such as -----BEGIN PRIVATE KEY-----");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    refuse(k_key, "does not belong to the certificate in \"clientCertPairCrt\"");
}

}  // namespace temporal_plugin
