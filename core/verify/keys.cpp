#include "core/verify/keys.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/openssl.hpp"
#include "core/verify/ed25519.hpp"

namespace par::core {
namespace {

// The bytes of the first PEM block, whatever its label says. Empty if there is none.
std::string first_pem_block(std::string_view pem) {
  const openssl::Bio bio = openssl::reader(pem);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  std::string block;
  if (bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    block.assign(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return block;
}

// The raw bytes of an Ed25519 key. Empty if it is none.
std::string ed25519_key(std::string_view der) {
  const unsigned char* at = openssl::bytes(der);
  const openssl::Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return {};
  std::string raw(32, '\0');
  size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), openssl::bytes(raw), &size) != 1) return {};
  return raw;
}

openssl::Key certificate_key(std::string_view der) {
  const unsigned char* at = openssl::bytes(der);
  const openssl::Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) return nullptr;
  openssl::Key key(X509_get_pubkey(certificate.get()));
  if (key && EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return nullptr;
  return key;
}

bool verify_rsa_pss(EVP_PKEY* key, std::string_view digest, std::string_view signature) {
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_AUTO) == 1 &&
         EVP_PKEY_verify(context.get(), openssl::bytes(signature), signature.size(), openssl::bytes(digest),
                         digest.size()) == 1;
}

// Reads a text member, or says what is wrong with it.
Result<std::string_view> text_member(const json::Document& document, std::string_view name) {
  const json::Value* const value = json::find(document, name);
  if (value == nullptr) return fail(fmt::format("it has no member '{}'", name));
  if (!value->IsString()) return fail(fmt::format("its member '{}' is not a text", name));
  return json::text(*value);
}

}  // namespace

// One of the two, as the type says.
struct VerifyingKey::Key {
  std::string ed25519;  // raw
  openssl::Key rsa;
};

Result<VerifyingKey> VerifyingKey::from_json(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return fail("it is not JSON: " + document.error().message);
  if (!document->IsObject()) return fail("it is not a JSON object");
  const auto type_name = text_member(*document, "keyType");
  if (!type_name) return tl::unexpected(type_name.error());
  const auto encoded = text_member(*document, "key");
  if (!encoded) return tl::unexpected(encoded.error());
  if (*type_name != "ED25519" && *type_name != "X509_RSA") {
    return fail("its keyType is neither ED25519 nor X509_RSA");
  }
  const auto pem = base64_decode(*encoded);
  if (!pem) return fail("its key is not base64");
  const std::string block = first_pem_block(*pem);
  const Type type = *type_name == "ED25519" ? Type::ed25519 : Type::x509_rsa;
  Key key;
  if (type == Type::ed25519) {
    key.ed25519 = ed25519_key(block);
  } else {
    key.rsa = certificate_key(block);
  }
  ERR_clear_error();  // TLS code on this thread would take a leftover for its own error
  if (block.empty()) return fail("its key is not a PEM text");
  if (key.ed25519.empty() && !key.rsa) {
    return fail(type == Type::ed25519 ? "its key is not an Ed25519 public key"
                                      : "its key is not a certificate with an RSA key");
  }
  return VerifyingKey(type, std::make_shared<const Key>(std::move(key)));
}

bool VerifyingKey::verify_digest(std::string_view digest, std::string_view signature) const {
  if (type_ == Type::ed25519) return verify_ed25519(key_->ed25519, digest, signature);
  const bool valid = verify_rsa_pss(key_->rsa.get(), digest, signature);
  if (!valid) ERR_clear_error();
  return valid;
}

std::string KeySet::ids() const {
  std::string all;
  for (const auto& [id, key] : keys_) all.append(all.empty() ? "" : ", ").append(id);
  return all;
}

}  // namespace par::core
