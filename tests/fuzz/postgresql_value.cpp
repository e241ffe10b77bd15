// Whatever a server sends as a value, what the PostgreSQL plugin makes of it is one JSON value. (Numbers are
// passed on as they are: the check of the whole result is for them.)
#include <array>
#include <string>

#include <par/json.hpp>
#include <par/sdk/error.hpp>

#include "plugins/com.datadoghq.postgresql/src/server_error.hpp"
#include "plugins/com.datadoghq.postgresql/src/value.hpp"
#include "plugins/common/encoding.hpp"
#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postgresql_plugin;
  constexpr std::array<unsigned, 11> k_types{16, 17, 25, 114, 1082, 1083, 1114, 1184, 1266, 1700, 3802};
  if (size < 2) return 0;
  const bool strict = data[1] % 2 == 1;
  const std::string_view text = par::fuzz::text(data + 2, size - 2);
  std::string out;
  try {
    append_value(out, {"c", mapping_of(k_types[data[0] % k_types.size()], strict), strict}, text);
    rapidjson::BaseReaderHandler<> nothing;
    std::string error;
    PAR_FUZZ_REQUIRE(par::json::parse_events(out, nothing, error));
  } catch (const par::Error& error) {
    PAR_FUZZ_REQUIRE(strict);
  }
  PAR_FUZZ_REQUIRE(plugin_common::is_valid_utf8(message_text(text)));
  return 0;
}
