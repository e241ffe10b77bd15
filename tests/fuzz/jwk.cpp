#include "core/base/encoding.hpp"
#include "core/identity/identity.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

namespace {

void try_key(std::string_view value) {
  const auto key = PrivateKey::from_config(value);
  if (key) {
    PAR_FUZZ_REQUIRE(key->sign_es256("message").size() == 64);
    PAR_FUZZ_REQUIRE(base64_decode(key->thumbprint()).value_or("").size() == 32);
    return;
  }
  PAR_FUZZ_REQUIRE(!key.error().message.empty());
}

}  // namespace

// The input is a JWK, or the configured text itself.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = par::fuzz::text(data, size);
  try_key(base64url_encode(input));
  try_key(input);
  (void)RunnerUrn::parse(input);
  return 0;
}
