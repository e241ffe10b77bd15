#include <array>

#include <par/json.hpp>
#include <par/sdk/error.hpp>

#include "plugins/com.datadoghq.http/src/response.hpp"
#include "tests/fuzz/target.hpp"

using namespace http_plugin;

// The first line is a Content-Type, the first two bytes of the rest choose responseParsing and
// responseEncoding, what follows is the body. Whatever comes, the result is JSON that fits into an output.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::array<std::string_view, 6> k_parsings = {"",     "",          "raw",
                                                          "json", "form-data", "form-urlencoded"};
  constexpr std::array<std::string_view, 7> k_encodings = {"",       "",          "utf8", "utf16le",
                                                           "latin1", "base64url", "hex"};
  const auto input = par::fuzz::text(data, size);
  const size_t line = input.find('\n');
  if (line == std::string_view::npos || input.size() < line + 3) return 0;
  const auto parsing = k_parsings[static_cast<unsigned char>(input[line + 1]) % k_parsings.size()];
  const auto encoding = k_encodings[static_cast<unsigned char>(input[line + 2]) % k_encodings.size()];
  const std::string body(input.substr(line + 3));
  try {
    const std::string result =
        "{\"body\":" + body_json(body, input.substr(0, line), parsing, encoding) +
        ",\"headers\":" + headers_json({{input.substr(0, line), body}, {"Content-Type", input}}) + "}";
    par::json::Document parsed;
    std::string error;
    PAR_FUZZ_REQUIRE(par::json::parse(result, parsed, error));
  } catch (const par::Error& error) {
    PAR_FUZZ_REQUIRE(!error.message().empty() && error.message().size() < 2000);
  }
  return 0;
}
