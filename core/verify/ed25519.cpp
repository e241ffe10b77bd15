#include "core/verify/ed25519.hpp"

#include <sodium/core.h>
#include <sodium/crypto_sign_ed25519.h>

namespace par::core {
namespace {

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool verify_ed25519(std::string_view raw_key, std::string_view message, std::string_view signature) {
  static const bool ready = sodium_init() >= 0;
  return ready && raw_key.size() == crypto_sign_ed25519_PUBLICKEYBYTES &&
         signature.size() == crypto_sign_ed25519_BYTES &&
         crypto_sign_ed25519_verify_detached(bytes(signature), bytes(message), message.size(),
                                             bytes(raw_key)) == 0;
}

}  // namespace par::core
