#include <charconv>

#include <fmt/format.h>

#include "core/base/strings.hpp"
#include "core/identity/identity.hpp"

namespace par::core {

Result<RunnerUrn> RunnerUrn::parse(std::string_view text) {
  const auto refuse = [text](std::string_view what) {
    return fail(
        fmt::format("urn: {} in '{}'; expected urn:dd:apps:on-prem-runner:<region>:<org id>:<runner id>",
                    what, cut_utf8(text, 200)));
  };
  const auto parts = split(text, ':');
  if (parts.size() != 7) return refuse(fmt::format("found {} parts instead of 7", parts.size()));
  if (parts[0] != "urn" || parts[1] != "dd" || parts[2] != "apps" || parts[3] != "on-prem-runner") {
    return refuse("another kind of name");
  }
  if (parts[4].empty()) return refuse("the region is empty");
  if (parts[6].empty()) return refuse("the runner id is empty");
  RunnerUrn urn{std::string(parts[4]), 0, std::string(parts[6])};
  const char* const end = parts[5].data() + parts[5].size();
  const auto [stop, error] = std::from_chars(parts[5].data(), end, urn.org_id);
  if (error != std::errc() || stop != end) return refuse("the organisation id is not a whole number");
  return urn;
}

std::string RunnerUrn::text() const {
  return fmt::format("urn:dd:apps:on-prem-runner:{}:{}:{}", region, org_id, runner_id);
}

}  // namespace par::core
