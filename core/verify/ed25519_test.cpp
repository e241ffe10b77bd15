#include "core/verify/ed25519.hpp"

#include "core/verify/test_keys.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

namespace {

std::string raw(std::string_view hex) {
  return hex_decode(hex).value();
}

/// What OpenSSL says.
bool verify_with_openssl(std::string_view raw_key, std::string_view message, std::string_view signature) {
  const openssl::Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, openssl::bytes(raw_key), raw_key.size()));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  return key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), openssl::bytes(signature), signature.size(), openssl::bytes(message),
                          message.size()) == 1;
}

std::string flipped(std::string text, size_t bit) {
  text[bit / 8] = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
  return text;
}

/// The signature with `times` the order of the group added to its number S: the same number, not reduced.
std::string with_larger_s(std::string signature, int times) {
  const std::string order =
      raw("edd3f55c1a631258d69cf7a2def9de14"
          "00000000000000000000000000000010");
  for (; times > 0; --times) {
    int carry = 0;
    for (size_t at = 0; at < order.size(); ++at) {
      carry += static_cast<unsigned char>(signature[32 + at]) + static_cast<unsigned char>(order[at]);
      signature[32 + at] = static_cast<char>(carry);
      carry >>= 8;
    }
  }
  return signature;
}

}  // namespace

TEST_CASE("Ed25519 accepts the signatures of RFC 8032") {
  struct Vector {
    std::string_view key, message, signature;
  };
  const Vector vectors[] = {
      {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
       "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
      {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
       "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
       "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
  };
  for (const auto& [key, message, signature] : vectors) {
    CAPTURE(key);
    CHECK(verify_ed25519(raw(key), raw(message), raw(signature)));
    CHECK_FALSE(verify_ed25519(raw(key), raw(message) + '\0', raw(signature)));
  }
}

TEST_CASE("Ed25519 by libsodium and by OpenSSL agree on every damaged bit") {
  const Ed25519Signer signer('a');
  const std::string key = signer.raw_public();
  const std::string message = sha256("data");
  const std::string signature = signer.sign(message);
  REQUIRE(verify_ed25519(key, message, signature));
  REQUIRE(verify_with_openssl(key, message, signature));
  for (size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    CAPTURE(bit);
    CHECK_FALSE(verify_ed25519(key, message, flipped(signature, bit)));
    CHECK_FALSE(verify_with_openssl(key, message, flipped(signature, bit)));
    if (bit >= 8 * key.size()) continue;
    CHECK_FALSE(verify_ed25519(flipped(key, bit), message, signature));
    CHECK_FALSE(verify_with_openssl(flipped(key, bit), message, signature));
    CHECK_FALSE(verify_ed25519(key, flipped(message, bit), signature));
  }
}

TEST_CASE("Ed25519 accepts what OpenSSL signs, whatever the length of the message") {
  for (size_t length = 0; length < 300; length += 13) {
    CAPTURE(length);
    const Ed25519Signer signer(static_cast<char>('a' + length % 26));
    const std::string message(length, 'm');
    CHECK(verify_ed25519(signer.raw_public(), message, signer.sign(message)));
  }
}

TEST_CASE("Ed25519 refuses an S that is not reduced, since it would be a second signature") {
  const Ed25519Signer signer('a');
  const std::string signature = signer.sign("message");
  for (int times = 1; times < 15; ++times) {
    CAPTURE(times);
    CHECK_FALSE(verify_ed25519(signer.raw_public(), "message", with_larger_s(signature, times)));
  }
  REQUIRE(verify_ed25519(signer.raw_public(), "message", with_larger_s(signature, 0)));
}

TEST_CASE("Ed25519 refuses keys and signatures of another length") {
  const Ed25519Signer signer('a');
  const std::string key = signer.raw_public();
  const std::string signature = signer.sign("message");
  for (const std::string& wrong :
       {std::string(), signature.substr(1), signature.substr(0, 63), signature + '\0'})
    CHECK_FALSE(verify_ed25519(key, "message", wrong));
  for (const std::string& wrong : {std::string(), key.substr(0, 31), key + '\0', key + key})
    CHECK_FALSE(verify_ed25519(wrong, "message", signature));
}

TEST_CASE("Ed25519 refuses keys of small order, under which one signature fits many messages") {
  // The eight points whose order divides eight, in every encoding that a reader might take for one.
  const std::string_view points[] = {
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  };
  size_t forged = 0;  // what the equation alone would let pass
  for (const auto key : points) {
    for (const auto point : points) {
      const std::string signature = raw(point) + std::string(32, '\0');
      for (const std::string_view message : {"one", "another", "a third", "a fourth"}) {
        CAPTURE(key, point, message);
        CHECK_FALSE(verify_ed25519(raw(key), message, signature));
        forged += verify_with_openssl(raw(key), message, signature) ? 1 : 0;
      }
    }
  }
  CHECK(forged > 0);
}

TEST_CASE("Ed25519 refuses a key in an encoding that is not canonical") {
  // The neutral point by its y of 1, as the prime plus one, and as zero with a sign: the same key for whoever
  // only computes. No secret belongs to it, and none is known for any other point that has two encodings.
  const std::string signature =
      raw("0100000000000000000000000000000000000000000000000000000000000000") + std::string(32, '\0');
  for (const std::string_view key : {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                     "0100000000000000000000000000000000000000000000000000000000000080"}) {
    CAPTURE(key);
    CHECK(verify_with_openssl(raw(key), "message", signature));
    CHECK_FALSE(verify_ed25519(raw(key), "message", signature));
  }
}

TEST_CASE("Ed25519 refuses a point of small order in a signature by a good key") {
  const Ed25519Signer signer('a');
  const std::string identity = raw("0100000000000000000000000000000000000000000000000000000000000000");
  CHECK_FALSE(verify_ed25519(signer.raw_public(), "message", identity + signer.sign("message").substr(32)));
}
