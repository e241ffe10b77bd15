#include "core/services/testing/test_ca.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/services/ip_address.hpp"
#include "core/services/openssl.hpp"

namespace par::core::testing {
namespace {

std::string take(const BioPtr& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

KeyPtr read_key(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (!extension) throw std::runtime_error("bad certificate extension: " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(const std::string& common_name, const Certificate* ca, const std::string& alternative_names,
                 int days) {
  static std::atomic<long> serial{1};
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -10L * 24 * 3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * 24L * 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  std::vector<X509Ptr> issuers;
  if (ca) issuers = parse_certificates(ca->certificate);
  X509* issuer = ca ? issuers.front().get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  add_extension(certificate.get(), issuer, NID_basic_constraints, ca ? "CA:FALSE" : "critical,CA:TRUE");
  if (!alternative_names.empty())
    add_extension(certificate.get(), issuer, NID_subject_alt_name, alternative_names);
  const KeyPtr ca_key = ca ? read_key(ca->key) : nullptr;
  X509_sign(certificate.get(), ca ? ca_key.get() : key.get(), EVP_sha256());

  const BioPtr certificate_out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_out.get(), certificate.get());
  const BioPtr key_out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {take(certificate_out), take(key_out)};
}

}  // namespace

TestCa::TestCa() : ca_(make("test root", nullptr, "", 3)) {}

Certificate TestCa::issue(const std::vector<std::string>& names, int days) const {
  std::string alternatives;
  for (const auto& name : names) {
    if (!alternatives.empty()) alternatives += ',';
    alternatives += (IpAddress::parse(name) ? "IP:" : "DNS:") + name;
  }
  return make(names.front(), &ca_, alternatives, days);
}

}  // namespace par::core::testing
