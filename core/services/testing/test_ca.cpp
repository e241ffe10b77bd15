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

openssl::Key read_key(const std::string& pem) {
  const openssl::Bio bio = openssl::reader(pem);
  return openssl::Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const openssl::CertificateExtension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (!extension) throw std::runtime_error("bad certificate extension: " + value);
  X509_add_ext(certificate, extension.get(), -1);
}

Certificate make(const std::string& common_name, const Certificate* ca, const std::string& alternative_names,
                 int days) {
  static std::atomic<long> serial{1};
  const openssl::Key key(EVP_EC_gen("P-256"));
  const openssl::Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -10L * 24 * 3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * 24L * 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             openssl::bytes(std::string_view(common_name)), -1, -1, 0);
  std::vector<openssl::Certificate> issuers;
  if (ca) issuers = parse_certificates(ca->certificate);
  X509* issuer = ca ? issuers.front().get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  add_extension(certificate.get(), issuer, NID_basic_constraints, ca ? "CA:FALSE" : "critical,CA:TRUE");
  if (!alternative_names.empty())
    add_extension(certificate.get(), issuer, NID_subject_alt_name, alternative_names);
  const openssl::Key ca_key = ca ? read_key(ca->key) : nullptr;
  X509_sign(certificate.get(), ca ? ca_key.get() : key.get(), EVP_sha256());

  const openssl::Bio certificate_out = openssl::buffer();
  PEM_write_bio_X509(certificate_out.get(), certificate.get());
  const openssl::Bio key_out = openssl::buffer();
  PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {openssl::content(certificate_out), openssl::content(key_out)};
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
