#include <par/sdk/error.hpp>

#include "plugins/com.datadoghq.http/src/url.hpp"
#include "tests/fuzz/target.hpp"

using namespace http_plugin;

// The first line is the URL of a request, the second a base URL. What is sent means the same when it is read
// again.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = par::fuzz::text(data, size);
  const size_t line = input.find('\n');
  try {
    const Url url = Url::parse(input.substr(0, line));
    const std::string sent = request_url(url, {{"added key", "&="}});
    for (const char c : sent.substr(sent.find(url.host_port) + url.host_port.size()))
      PAR_FUZZ_REQUIRE(c > ' ' && c < 127);
    const Url again = Url::parse(sent);
    PAR_FUZZ_REQUIRE(again.host_port == url.host_port && again.scheme == url.scheme);
    PAR_FUZZ_REQUIRE(again.user_info.empty());
    PAR_FUZZ_REQUIRE(request_url(again, {}) == sent);
    PAR_FUZZ_REQUIRE(encode_form(parse_form(again.query)) == again.query);
    require_same_host(url, sent);
    (void)basic_credentials(url);
    if (line != std::string_view::npos) require_same_host(url, input.substr(line + 1));
  } catch (const par::Error&) {
  }
  return 0;
}
