#include "core/base/encoding.hpp"

#include "tests/fuzz/target.hpp"

using namespace par::core;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = par::fuzz::text(data, size);
  PAR_FUZZ_REQUIRE(base64_decode(base64_encode(input)) == input);
  PAR_FUZZ_REQUIRE(base64_decode(base64url_encode(input)) == input);
  PAR_FUZZ_REQUIRE(hex_decode(hex_encode(input)) == input);
  if (const auto decoded = base64_decode(input))
    PAR_FUZZ_REQUIRE(base64_decode(base64_encode(*decoded)) == decoded);
  if (const auto decoded = hex_decode(input)) PAR_FUZZ_REQUIRE(hex_encode(*decoded).size() == size);
  (void)percent_encode(input);
  (void)is_utf8(input);
  return 0;
}
