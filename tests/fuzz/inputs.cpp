#include "core/plugin/inputs.hpp"

#include "core/base/json.hpp"
#include "core/plugin/schema.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

// The first line is a schema, the rest the inputs.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = par::fuzz::text(data, size);
  const size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto document = parse_json(input.substr(0, line));
  if (!document) return 0;
  const auto schema = Schema::compile(*document, "schema");
  if (!schema) return 0;
  const auto prepared = prepare_inputs(std::string(input.substr(line + 1)), *schema);
  if (!prepared) return 0;
  const auto result = parse_json(prepared->json);
  PAR_FUZZ_REQUIRE(result.has_value() && result->IsObject());
  PAR_FUZZ_REQUIRE(schema->validate(*result, "inputs").has_value());
  return 0;
}
