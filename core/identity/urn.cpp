#include <fmt/format.h>

#include "core/base/parse_number.hpp"
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
  const auto org_id = parse_number<decltype(RunnerUrn::org_id)>(parts[5]);
  if (!org_id) return refuse("the organisation id is not a whole number");
  return RunnerUrn{std::string(parts[4]), *org_id, std::string(parts[6])};
}

std::string RunnerUrn::text() const {
  return fmt::format("urn:dd:apps:on-prem-runner:{}:{}:{}", region, org_id, runner_id);
}

}  // namespace par::core
