#include "core/verify/ed25519.hpp"

#include <sodium/core.h>
#include <sodium/crypto_sign_ed25519.h>

#include "core/base/openssl.hpp"

namespace par::core {

bool verify_ed25519(std::string_view raw_key, std::string_view message, std::string_view signature) {
  static const bool ready = sodium_init() >= 0;
  return ready && raw_key.size() == crypto_sign_ed25519_PUBLICKEYBYTES &&
         signature.size() == crypto_sign_ed25519_BYTES &&
         crypto_sign_ed25519_verify_detached(openssl::bytes(signature), openssl::bytes(message),
                                             message.size(), openssl::bytes(raw_key)) == 0;
}

}  // namespace par::core
