#include "core/verify/keys.hpp"

#include "core/verify/test_keys.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

TEST_CASE("an Ed25519 key checks signatures over a digest") {
  const Ed25519Signer signer('a');
  const auto key = VerifyingKey::from_json(signer.json());
  REQUIRE(key);
  CHECK(key->type() == VerifyingKey::Type::ed25519);
  std::string signature = signer.sign_digest_of("data");
  CHECK(key->verify_digest(sha256("data"), signature));
  CHECK_FALSE(key->verify_digest(sha256("other"), signature));
  CHECK_FALSE(key->verify_digest(sha256("data"), signer.sign("data")));
  CHECK_FALSE(key->verify_digest(sha256("data"), Ed25519Signer('b').sign_digest_of("data")));
  CHECK_FALSE(key->verify_digest(sha256("data"), ""));
  CHECK_FALSE(key->verify_digest(sha256("data"), signature + "x"));
  signature[10] = static_cast<char>(signature[10] ^ 1);
  CHECK_FALSE(key->verify_digest(sha256("data"), signature));
}

TEST_CASE("an RSA certificate checks PSS signatures of any salt length, however old it is") {
  const RsaSigner signer;
  const auto key = VerifyingKey::from_json(signer.json());
  REQUIRE(key);
  CHECK(key->type() == VerifyingKey::Type::x509_rsa);
  for (const int salt : {RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, 0}) {
    CAPTURE(salt);
    const std::string signature = signer.sign_digest_of("data", salt);
    CHECK(key->verify_digest(sha256("data"), signature));
    CHECK_FALSE(key->verify_digest(sha256("other"), signature));
  }
  CHECK_FALSE(key->verify_digest(sha256("data"), ""));
  CHECK_FALSE(
      key->verify_digest(sha256("data"), signer.sign_digest_of("data", 0, RSA_PKCS1_PADDING)));  // not PSS
  CHECK_FALSE(key->verify_digest(sha256("data"), RsaSigner().sign_digest_of("data")));
}

TEST_CASE("only the first PEM block counts and its label does not matter") {
  const Ed25519Signer signer('a');
  std::string pem = signer.public_pem();
  for (size_t at = 0; (at = pem.find("PUBLIC KEY", at)) != std::string::npos;)
    pem.replace(at, 10, "ANYTHING");
  const auto key =
      VerifyingKey::from_json(key_json("ED25519", "text before\n" + pem + Ed25519Signer('b').public_pem()));
  REQUIRE(key);
  CHECK(key->verify_digest(sha256("data"), signer.sign_digest_of("data")));
}

TEST_CASE("each wrong key file has a message of its own") {
  const Ed25519Signer ed('a');
  const RsaSigner rsa;
  const std::pair<std::string, std::string> cases[] = {
      {"", "not JSON"},
      {"[]", "not a JSON object"},
      {std::string(5000, '['), "not JSON"},
      {R"({"key":"AAAA"})", "no member 'keyType'"},
      {R"({"keyType":"ED25519"})", "no member 'key'"},
      {R"({"keyType":2,"key":"AAAA"})", "'keyType' is not a text"},
      {R"({"keyType":"ED25519","key":null})", "'key' is not a text"},
      {R"({"keyType":"RSA","key":"AAAA"})", "neither ED25519 nor X509_RSA"},
      {R"({"keyType":"ED25519","key":"*"})", "not base64"},
      {R"({"keyType":"ED25519","key":""})", "not a PEM text"},
      {key_json("ED25519", "hello"), "not a PEM text"},
      {key_json("ED25519", rsa.certificate_pem()), "not an Ed25519 public key"},
      {key_json("ED25519", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
       "not an Ed25519 public key"},
      {key_json("X509_RSA", ed.public_pem()), "not a certificate with an RSA key"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    const auto key = VerifyingKey::from_json(text);
    REQUIRE_FALSE(key);
    CHECK_THAT(key.error().message, Catch::Contains(expected));
  }
}
