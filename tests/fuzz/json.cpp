#include "core/base/json.hpp"

#include "core/base/encoding.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

// What is accepted can be written and read again. From the second time on nothing changes any more; the first
// may turn -0.0 into 0.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto document = parse_json(par::fuzz::text(data, size));
  if (!document) {
    PAR_FUZZ_REQUIRE(!document.error().message.empty());
    return 0;
  }
  const std::string written = par::json::write(*document);
  PAR_FUZZ_REQUIRE(is_utf8(written));
  const auto again = parse_json(written);
  PAR_FUZZ_REQUIRE(again.has_value());
  const std::string settled = par::json::write(*again);
  const auto once_more = parse_json(settled);
  PAR_FUZZ_REQUIRE(once_more.has_value() && par::json::write(*once_more) == settled);
  return 0;
}
