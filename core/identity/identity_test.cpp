#include "core/identity/identity.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <openssl/pem.h>

#include "core/base/encoding.hpp"
#include "core/base/openssl.hpp"
#include "core/base/strings.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

// A throw-away key that no runner was ever enrolled with.
constexpr const char* k_x = "VWv_iBSRq8sttZIjwRUT0B8O3V_gdGwOyNMLjvQViwE";
constexpr const char* k_y = "B45Daz-qyJLu8BZvyWFjGf3qz4CvSFWhBqf0lJgzHsA";
constexpr const char* k_d = "L2irGLHhcBkfeJnhfyUPpB0yFuUCcVIxuvuzWOz7EsQ";
constexpr std::string_view k_config_value =
    "eyJ1c2UiOiJzaWciLCJrdHkiOiJFQyIsImtpZCI6IjFDNWdydlVQYmpfWF9MX2pRM3ZEUjRwNlk1bWYtY3A4Y2hJRWxKVUtKYTgiLCJj"
    "cnYiOiJQ"
    "LTI1NiIsImFsZyI6IkVTMjU2IiwieCI6IlZXdl9pQlNScThzdHRaSWp3UlVUMEI4TzNWX2dkR3dPeU5NTGp2UVZpd0UiLCJ5IjoiQjQ1"
    "RGF6LXF5"
    "Skx1OEJadnlXRmpHZjNxejRDdlNGV2hCcWYwbEpnekhzQSIsImQiOiJMMmlyR0xIaGNCa2ZlSm5oZnlVUHBCMHlGdVVDY1ZJeHV2dXpX"
    "T3o3RXNR"
    "In0";
constexpr std::string_view k_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVWv/iBSRq8sttZIjwRUT0B8O3V/g\n"
    "dGwOyNMLjvQViwEHjkNrP6rIku7wFm/JYWMZ/erPgK9IVaEGp/SUmDMewA==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view k_urn = "urn:dd:apps:on-prem-runner:us1:4242:runner-7Qm1exampleExample0";

std::string jwk(std::string_view kty, std::string_view crv, std::string_view x, std::string_view y,
                std::string_view d) {
  return base64url_encode(
      fmt::format(R"({{"kty":"{}","crv":"{}","x":"{}","y":"{}","d":"{}"}})", kty, crv, x, y, d));
}

std::string refusal(std::string_view value) {
  const auto key = PrivateKey::from_config(value);
  REQUIRE_FALSE(key);
  return key.error().message;
}

PrivateKey example_key() {
  auto key = PrivateKey::from_config(k_config_value);
  REQUIRE(key);
  return std::move(*key);
}

bool verifies(std::string_view public_pem, std::string_view message, std::string_view raw) {
  if (raw.size() != 64) return false;
  const openssl::Bio bio = openssl::reader(public_pem);
  const openssl::Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  const openssl::EcdsaSignature signature(ECDSA_SIG_new());
  ECDSA_SIG_set0(signature.get(), BN_bin2bn(openssl::bytes(raw), 32, nullptr),
                 BN_bin2bn(openssl::bytes(raw) + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const bool ok =
      EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1 &&
      EVP_DigestVerify(context.get(), der, static_cast<size_t>(size), openssl::bytes(message),
                       message.size()) == 1;
  OPENSSL_free(der);
  return ok;
}

bool token_verifies(std::string_view token) {
  const size_t dot = token.rfind('.');
  return verifies(k_pem, token.substr(0, dot), base64_decode(token.substr(dot + 1)).value());
}

}  // namespace

TEST_CASE("a runner's URN is split and written again") {
  const auto urn = RunnerUrn::parse(k_urn);
  REQUIRE(urn);
  CHECK(urn->region == "us1");
  CHECK(urn->org_id == 4242);
  CHECK(urn->runner_id == "runner-7Qm1exampleExample0");
  CHECK(urn->text() == k_urn);
  CHECK(RunnerUrn::parse("urn:dd:apps:on-prem-runner:eu1:-9223372036854775808:r")->org_id == INT64_MIN);
}

TEST_CASE("a URN of another shape is refused with what was expected") {
  for (const char* text :
       {"", "urn", "urn:dd:apps:on-prem-runner:us1:4242", "urn:dd:apps:on-prem-runner:us1:4242:r:x",
        "urn:dd:apps:other:us1:4242:r", "urn:aws:apps:on-prem-runner:us1:4242:r",
        "urn:dd:apps:on-prem-runner::4242:r", "urn:dd:apps:on-prem-runner:us1:4242:",
        "urn:dd:apps:on-prem-runner:us1::r", "urn:dd:apps:on-prem-runner:us1:42x:r",
        "urn:dd:apps:on-prem-runner:us1:9223372036854775808:r", "urn:dd:apps:on-prem-runner:us1: 1:r"}) {
    CAPTURE(text);
    const auto urn = RunnerUrn::parse(text);
    REQUIRE_FALSE(urn);
    CHECK_THAT(urn.error().message, Catch::Contains("expected urn:dd:apps:on-prem-runner:<region>"));
  }
}

TEST_CASE("the configured key gives its known thumbprint and public key") {
  const PrivateKey key = example_key();
  CHECK(key.thumbprint() == "1C5grvUPbj_X_L_jQ3vDR4p6Y5mf-cp8chIElJUKJa8");
  CHECK(key.public_pem() == k_pem);
}

TEST_CASE("a key is read with padding, blanks around it and members in any order") {
  const std::string padded =
      std::string(k_config_value) + std::string((4 - k_config_value.size() % 4) % 4, '=');
  CHECK(PrivateKey::from_config(padded));
  CHECK(PrivateKey::from_config(" " + std::string(k_config_value) + "\n"));
  const std::string other_order = fmt::format(
      R"({{"d":"{}","key_ops":["sign",{{"d":"inner"}}],"y":"{}","x":"{}","crv":"P-256","kty":"EC"}})", k_d,
      k_y, k_x);
  CHECK(PrivateKey::from_config(base64_encode(other_order)));
}

TEST_CASE("each wrong key has a message of its own that never quotes it") {
  const std::string other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";
  const std::string zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const std::string order = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty"},
      {"-----BEGIN EC PRIVATE KEY-----\nMHc", "PEM"},
      {"e30{", "not base64url"},
      {std::string(20'000, 'A'), "far more"},
      {base64url_encode("no json"), "does not hold a JWK"},
      {base64url_encode("\"text\""), "does not hold a JWK"},
      {base64url_encode("[]"), "does not hold a JWK"},
      {base64url_encode("{} {}"), "does not hold a JWK"},
      {base64url_encode(std::string_view("{}\0x", 4)), "does not hold a JWK"},
      {base64url_encode(std::string(1000, '[')), "does not hold a JWK"},
      {base64url_encode("{}"), "no text member 'kty'"},
      {base64url_encode(R"({"kty":1})"), "no text member 'kty'"},
      {base64url_encode(R"({"kty":"EC","kty":"EC"})"), "stands twice"},
      {base64url_encode(fmt::format(R"({{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}})", k_x, k_y)),
       "no text member 'd'"},
      {jwk("RSA", "P-256", k_x, k_y, k_d), "another kty"},
      {jwk("EC", "P-384", k_x, k_y, k_d), "another curve"},
      {jwk("EC", "P-256", "?", k_y, k_d), "x is not base64url"},
      {jwk("EC", "P-256", k_x, "AAAA", k_d), "y has 3 bytes"},
      {jwk("EC", "P-256", k_x, k_y, "AAAA"), "d has 3 bytes"},
      {jwk("EC", "P-256", k_x, k_x, k_d), "not on the curve"},
      {jwk("EC", "P-256", k_x, k_y, other), "does not belong"},
      {jwk("EC", "P-256", k_x, k_y, zero), "does not belong"},
      {jwk("EC", "P-256", k_x, k_y, order), "does not belong"},
  };
  for (const auto& [value, expected] : cases) {
    CAPTURE(expected);
    const std::string message = refusal(value);
    CHECK_THAT(message, Catch::Contains(expected));
    CHECK_THAT(message, Catch::StartsWith("privateKey: "));
    CHECK_THAT(message, !Catch::Contains(k_d) && !Catch::Contains(other));
  }
}

TEST_CASE("signatures verify with the public key, and only over the same message") {
  const PrivateKey key = example_key();
  for (int round = 0; round < 64; ++round) {  // some r and s have leading zeros
    const std::string message = "message " + std::to_string(round);
    const std::string signature = key.sign_es256(message);
    CHECK(verifies(k_pem, message, signature));
    CHECK_FALSE(verifies(k_pem, message + "x", signature));
  }
}

TEST_CASE("the known request token verifies, so these tests check tokens as Datadog does") {
  const std::string token =
      "eyJhbGciOiJFUzI1NiIsImN0eSI6IkpXVCIsInR5cCI6IkpXVCJ9."
      "eyJleHAiOjE3NjcyMjU2NjAsImlhdCI6MTc2NzIyNTYwMCwib3JnSWQiOjQyNDIsInJ1bm5lcklkIjoicnVubmVyLTdRbTFleGFtcG"
      "xlRXhhbXBs"
      "ZTAifQ."
      "rk2hOEna8gtfVIwRg7tXgxbZ_lA8ssViFEX9lMPcNb1V6PaYN7Ex-qJ0_ACWlos-9TP8ZdkabyIb9_XhI15fhA";
  CHECK(token_verifies(token));

  RequestTokens tokens(*RunnerUrn::parse(k_urn), example_key(),
                       [] { return SystemTime(std::chrono::seconds(1767225600)); });
  const std::string ours = tokens.token();
  CHECK(token_verifies(ours));
  CHECK(ours.substr(0, ours.rfind('.')) == token.substr(0, token.rfind('.')));
}

TEST_CASE("requests of one second share a token, the next second has its own") {
  SystemTime now{std::chrono::milliseconds(1767225600'001)};
  RequestTokens tokens(*RunnerUrn::parse(k_urn), example_key(), [&] { return now; });
  const std::string first = tokens.token();
  now += std::chrono::milliseconds(998);
  CHECK(tokens.token() == first);
  now += std::chrono::milliseconds(1);
  const std::string second = tokens.token();
  CHECK(second != first);
  CHECK(token_verifies(second));
  now -= std::chrono::seconds(100);  // the clock was set back
  CHECK(split(tokens.token(), '.')[1] != split(second, '.')[1]);
}

TEST_CASE("threads may ask for tokens at the same time") {
  std::atomic<int64_t> second{1767225600};
  RequestTokens tokens(*RunnerUrn::parse(k_urn), example_key(),
                       [&] { return SystemTime(std::chrono::seconds(second.load())); });
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (i % 5 == 0) ++second;
        if (!token_verifies(tokens.token())) ++bad;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(bad == 0);
}

TEST_CASE("the public half of a key is a JWK in a fixed order") {
  CHECK(example_key().public_jwk() ==
        fmt::format(R"({{"alg":"ES256","crv":"P-256","kid":"1C5grvUPbj_X_L_jQ3vDR4p6Y5mf-cp8chIElJUKJa8",)"
                    R"("kty":"EC","use":"sig","x":"{}","y":"{}"}})",
                    k_x, k_y));
}

TEST_CASE("a new key is like no other and is read again from its configured form") {
  const PrivateKey key = PrivateKey::generate();
  const auto again = PrivateKey::from_config(key.config_text().reveal());
  REQUIRE(again);
  CHECK(again->public_pem() == key.public_pem());
  CHECK(verifies(key.public_pem(), "message", again->sign_es256("message")));
  CHECK(PrivateKey::generate().public_pem() != key.public_pem());
  CHECK(PrivateKey::from_config(example_key().config_text().reveal())->public_pem() == k_pem);
}
