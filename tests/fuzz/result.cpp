#include "core/base/json.hpp"
#include "core/plugin/result_check.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

// However a result is cut into parts, the streaming check agrees with the parser.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto input = par::fuzz::text(data + 1, size - 1);
  const size_t cut = input.empty() ? 0 : data[0] % (input.size() + 1);
  const par_str parts[] = {{input.data(), cut}, {input.data() + cut, input.size() - cut}};
  std::string problem;
  const par_status status = check_result(parts, 2, 1 << 20, problem);
  const auto document = parse_json(input);
  PAR_FUZZ_REQUIRE((status == PAR_OK) == (document.has_value() && document->IsObject()));
  PAR_FUZZ_REQUIRE(status == PAR_OK || !problem.empty());
  return 0;
}
