#include "core/base/url.hpp"

#include "tests/fuzz/target.hpp"

using namespace par::core;

namespace {

// What is kept of a URL must mean the same when it is read again: a host that changes on the way is how a
// check of one address turns into a connection to another.
void check(const Url& url) {
  PAR_FUZZ_REQUIRE(!url.host.empty() && url.port != 0 && url.path.starts_with('/'));
  const auto again = parse_url(url.text());
  PAR_FUZZ_REQUIRE(again.has_value());
  PAR_FUZZ_REQUIRE(again->host == url.host && again->ipv6 == url.ipv6 && again->port == url.port);
  PAR_FUZZ_REQUIRE(again->scheme == url.scheme && again->target() == url.target());
  for (const char c : url.target() + url.authority())
    PAR_FUZZ_REQUIRE(c != '\r' && c != '\n' && c != '\0' && c != ' ');
}

}  // namespace

// The first line is a URL, the rest a Location header.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = par::fuzz::text(data, size);
  const size_t line = input.find('\n');
  const auto url = parse_url(input.substr(0, line));
  if (!url) return 0;
  check(*url);
  if (line == std::string_view::npos) return 0;
  const auto next = resolve_reference(*url, input.substr(line + 1));
  if (next) check(*next);
  return 0;
}
