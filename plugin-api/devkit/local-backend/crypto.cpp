#include "plugin-api/devkit/local-backend/crypto.hpp"

#include <array>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/openssl.hpp"

namespace par::backend {
namespace {

namespace openssl = core::openssl;
using core::base64url_encode;
using core::fail;
using openssl::Bio;
using openssl::bytes;
using openssl::Certificate;
using openssl::content;

constexpr long k_certificate_days = 10L * 365;

void check(bool ok, const char* what) {
  if (ok) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  throw std::runtime_error(fmt::format("OpenSSL: {}: {}", what, text.data()));
}

Key own(EVP_PKEY* key, const char* what) {
  check(key != nullptr, what);
  return {key, EVP_PKEY_free};
}

Bio memory() {
  Bio bio = openssl::buffer();
  check(bio != nullptr, "memory");
  return bio;
}

// A number of a key as 32 bytes, base64url.
std::string coordinate(const Key& key, const char* name) {
  BIGNUM* raw = nullptr;
  check(EVP_PKEY_get_bn_param(key.get(), name, &raw) == 1, name);
  const openssl::BigNumber number(raw);
  std::string out(32, '\0');
  check(BN_bn2binpad(number.get(), bytes(out), 32) == 32, name);
  return base64url_encode(out);
}

std::string certificate_pem(const Certificate& certificate) {
  const Bio bio = memory();
  check(PEM_write_bio_X509(bio.get(), certificate.get()) == 1, "certificate");
  return content(bio);
}

struct Extension {
  int id;
  const char* value;
};

Certificate make_certificate(const Key& subject, const std::string& name, const Key& issuer,
                             X509* issuer_certificate, std::initializer_list<Extension> extensions) {
  Certificate certificate(X509_new());
  check(certificate != nullptr, "certificate");
  X509* const x = certificate.get();
  std::string serial = core::random_bytes(16);
  serial.front() &= 0x7f;
  const openssl::BigNumber number(BN_bin2bn(bytes(serial), static_cast<int>(serial.size()), nullptr));
  check(X509_set_version(x, 2) == 1 &&
            BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x)) != nullptr &&
            X509_gmtime_adj(X509_getm_notBefore(x), -3600) != nullptr &&
            X509_time_adj_ex(X509_getm_notAfter(x), k_certificate_days, 0, nullptr) != nullptr &&
            X509_set_pubkey(x, subject.get()) == 1,
        "certificate");
  X509_NAME* const own_name = X509_get_subject_name(x);
  check(X509_NAME_add_entry_by_txt(own_name, "CN", MBSTRING_UTF8, bytes(std::string_view(name)), -1, -1, 0) ==
                1 &&
            X509_set_issuer_name(
                x, issuer_certificate ? X509_get_subject_name(issuer_certificate) : own_name) == 1,
        "certificate name");
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer_certificate ? issuer_certificate : x, x, nullptr, nullptr, 0);
  for (const Extension& extension : extensions) {
    const openssl::CertificateExtension made(
        X509V3_EXT_conf_nid(nullptr, &context, extension.id, extension.value));
    check(made != nullptr && X509_add_ext(x, made.get(), -1) == 1, "certificate extension");
  }
  check(X509_sign(x, issuer.get(), EVP_sha256()) > 0, "signing a certificate");
  return certificate;
}

}  // namespace

Key make_ed25519_key() {
  return own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), "making an Ed25519 key");
}
Key make_rsa_key() {
  return own(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048}), "making an RSA key");
}
Key make_p256_key() {
  return own(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), "making a P-256 key");
}

Key ed25519_key_from_seed(std::string_view seed) {
  return own(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(seed), seed.size()),
             "Ed25519 seed");
}

std::string private_pem(const Key& key) {
  const Bio bio = memory();
  check(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "private key");
  return content(bio);
}

std::string public_pem(const Key& key) {
  const Bio bio = memory();
  check(PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1, "public key");
  return content(bio);
}

Result<Key> private_key_from_pem(std::string_view pem) {
  const Bio bio = openssl::reader(pem);
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio.get(), nullptr, openssl::no_password, nullptr);
  if (key == nullptr) return fail("not a private key in PEM form");
  return Key(key, EVP_PKEY_free);
}

Result<Key> public_key_from_pem(std::string_view pem) {
  const Bio bio = openssl::reader(pem);
  EVP_PKEY* const key = PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr);
  if (key == nullptr) return fail("not a public key in PEM form");
  return Key(key, EVP_PKEY_free);
}

std::string raw_public_key(const Key& key) {
  std::string out(32, '\0');
  size_t size = out.size();
  check(EVP_PKEY_get_raw_public_key(key.get(), bytes(out), &size) == 1 && size == 32, "raw public key");
  return out;
}

Result<Key> p256_public_key(std::string_view x, std::string_view y) {
  if (x.size() != 32 || y.size() != 32) return fail("a coordinate of a P-256 point has 32 bytes");
  std::string point("\x04");
  point.append(x).append(y);
  std::string group("P-256");
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  check(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "reading a P-256 key");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(parameters.data())) != 1) {
    ERR_clear_error();
    return fail("the point is not on the curve P-256");
  }
  return Key(key, EVP_PKEY_free);
}

bool is_p256(const Key& key) {
  std::array<char, 32> group{};
  size_t size = 0;
  return EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

std::string thumbprint(const Key& key) {
  return base64url_encode(core::sha256(fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})",
                                                   coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X),
                                                   coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y))));
}

std::string private_jwk(const Key& key) {
  return base64url_encode(fmt::format(
      R"({{"use":"sig","kty":"EC","kid":"{}","crv":"P-256","alg":"ES256","x":"{}","y":"{}","d":"{}"}})",
      thumbprint(key), coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X), coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y),
      coordinate(key, OSSL_PKEY_PARAM_PRIV_KEY)));
}

std::string sign_ed25519(const Key& key, std::string_view message) {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  std::string signature(64, '\0');
  size_t size = signature.size();
  check(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
            EVP_DigestSign(context.get(), bytes(signature), &size, bytes(message), message.size()) == 1,
        "signing with Ed25519");
  return signature;
}

std::string sign_rsa_pss(const Key& key, std::string_view digest) {
  const openssl::KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  check(EVP_PKEY_sign_init(context.get()) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1,
        "RSA-PSS");
  std::string signature(static_cast<size_t>(EVP_PKEY_get_size(key.get())), '\0');
  size_t size = signature.size();
  check(EVP_PKEY_sign(context.get(), bytes(signature), &size, bytes(digest), digest.size()) == 1,
        "signing with RSA");
  signature.resize(size);
  return signature;
}

bool verify_es256(const Key& key, std::string_view message, std::string_view signature) {
  if (signature.size() != 64) return false;
  const openssl::EcdsaSignature parts(ECDSA_SIG_new());
  check(ECDSA_SIG_set0(parts.get(), BN_bin2bn(bytes(signature), 32, nullptr),
                       BN_bin2bn(bytes(signature) + 32, 32, nullptr)) == 1,
        "ES256");
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  if (size <= 0) return false;
  const std::string encoded(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const bool ok =
      EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1 &&
      EVP_DigestVerify(context.get(), bytes(encoded), encoded.size(), bytes(message), message.size()) == 1;
  ERR_clear_error();
  return ok;
}

std::string self_signed_certificate(const Key& key, const std::string& name) {
  return certificate_pem(make_certificate(key, name, key, nullptr, {}));
}

ServerCertificate make_server_certificate() {
  const Key ca_key = make_p256_key();
  const Certificate ca = make_certificate(ca_key, "par-local-backend CA", ca_key, nullptr,
                                          {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                           {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                           {NID_subject_key_identifier, "hash"}});
  const Key key = make_p256_key();
  const Certificate certificate =
      make_certificate(key, "localhost", ca_key, ca.get(),
                       {{NID_basic_constraints, "critical,CA:FALSE"},
                        {NID_key_usage, "critical,digitalSignature"},
                        {NID_ext_key_usage, "serverAuth"},
                        {NID_authority_key_identifier, "keyid"},
                        {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"}});
  return {certificate_pem(ca), certificate_pem(certificate), private_pem(key)};
}

}  // namespace par::backend
