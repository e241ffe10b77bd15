#include "core/base/digest.hpp"

#include <stdexcept>

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "core/base/openssl.hpp"

namespace par::core {

std::string sha256(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(openssl::bytes(bytes), bytes.size(), openssl::bytes(out));
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), openssl::bytes(message), message.size(),
       openssl::bytes(out), &length);
  return out;
}

std::string random_bytes(size_t count) {
  std::string out(count, '\0');
  if (RAND_bytes(openssl::bytes(out), static_cast<int>(count)) != 1) {
    throw std::runtime_error("the system's random source failed");
  }
  return out;
}

}  // namespace par::core
