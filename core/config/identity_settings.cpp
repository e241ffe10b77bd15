#include <fmt/format.h>

#include "core/base/url.hpp"
#include "core/config/config.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core {
namespace {

// What the Helm chart's default values for urn and privateKey begin with.
constexpr std::string_view k_placeholder = "CHANGE_ME";

}  // namespace

bool lacks_identity(const Config& config) {
  return config.urn.empty() && config.private_key.empty();
}

Result<void> check_identity(const Config& config) {
  const std::string file = (config.directory / "config.yaml").native();
  const std::string_view key = config.private_key.reveal();
  if (config.urn.starts_with(k_placeholder) || key.starts_with(k_placeholder)) {
    return fail(
        fmt::format("{} is still the Helm chart's placeholder CHANGE_ME...: set runner.config.urn and "
                    "runner.config.privateKey to the "
                    "values of your runner, or name a Secret with RUNNER_URN and RUNNER_PRIVATE_KEY in "
                    "runner.runnerIdentitySecret",
                    config.urn.starts_with(k_placeholder) ? "urn" : "privateKey"));
  }
  if (!config.urn.empty() && !key.empty()) return {};

  const std::string_view missing = config.urn.empty() && key.empty() ? "urn and privateKey are"
                                   : config.urn.empty()              ? "urn is"
                                                                     : "privateKey is";
  return fail(fmt::format(
      "this runner has no identity: {} missing. Set urn and privateKey in {}, or the variables RUNNER_URN "
      "and RUNNER_PRIVATE_KEY (or RUNNER_URN_FILE and RUNNER_PRIVATE_KEY_FILE). To enroll a new runner, set "
      "RUNNER_ENROLLMENT_TOKEN, or start with --with-api-key, DD_API_KEY and DD_APP_KEY",
      missing, file));
}

void register_secrets(const Config& config, Redactor& redactor) {
  redactor.add_forever(config.private_key.reveal());
  for (const std::string& proxy : {config.http_proxy, config.https_proxy}) {
    const auto url = parse_url(proxy);
    if (!url) continue;
    const size_t colon = url->userinfo.find(':');
    if (colon != std::string::npos) redactor.add_forever(std::string_view(url->userinfo).substr(colon + 1));
  }
}

}  // namespace par::core
