#include "plugins/com.datadoghq.http/src/template.hpp"
#include "tests/fuzz/target.hpp"

using http_plugin::render;

// A template of a connection. Text without expressions stays what it is, an error never quotes the text.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const par::Connection connection(
      R"({"auth":"token","root_tokens":[{"name":"key","value":"v1"},{"name":"odd name","value":"{{key}}"}]})");
  const auto input = par::fuzz::text(data, size);
  try {
    const std::string rendered = render(input, connection);
    if (input.find("{{") == std::string_view::npos) PAR_FUZZ_REQUIRE(rendered == input);
    // Each expression has at least five bytes and gives at most all tokens.
    PAR_FUZZ_REQUIRE(rendered.size() <= input.size() + input.size() / 5 * 128);
  } catch (const par::Error& error) {
    PAR_FUZZ_REQUIRE(error.message().rfind("template: ", 0) == 0);
    PAR_FUZZ_REQUIRE(error.message().size() < 200);
  }
  return 0;
}
