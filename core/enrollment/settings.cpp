#include "core/enrollment/settings.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/strings.hpp"
#include "core/config/environment.hpp"
#include "core/config/options.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_token = "RUNNER_ENROLLMENT_TOKEN";
constexpr std::string_view k_hex = "0123456789abcdefABCDEF";
constexpr size_t k_api_key_size = 32;
constexpr size_t k_app_key_size = 40;
constexpr size_t k_scoped_app_key_size = 34;  // behind its prefix

bool all_of_set(std::string_view text, std::string_view set) {
  return text.find_first_not_of(set) == std::string_view::npos;
}

bool is_api_key(std::string_view text) {
  return text.size() == k_api_key_size && all_of_set(text, k_hex);
}

bool is_app_key(std::string_view text) {
  constexpr std::string_view k_scoped = "ddapp_";
  if (text.starts_with(k_scoped)) {
    text.remove_prefix(k_scoped.size());
    return text.size() == k_scoped_app_key_size && std::all_of(text.begin(), text.end(), [](unsigned char c) {
             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           });
  }
  if (text.starts_with("pub")) text.remove_prefix(3);
  return text.size() == k_app_key_size && all_of_set(text, k_hex);
}

// Datadog does not say how a token looks, but nothing of this can be in one.
bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

// A variable that must be set, without blanks around its value.
Result<Secret> read_secret(std::string_view name, bool (*has_form)(std::string_view),
                           std::string_view expected, const Environment& environment, Redactor& redactor) {
  auto setting = read_variable(environment, name, true);
  if (!setting) return tl::unexpected(setting.error());
  if (!*setting) return fail(fmt::format("{} is not set (nor {}_FILE); expected {}", name, name, expected));
  const std::string_view text = trim((*setting)->text);
  redactor.add_forever(text);
  Secret secret{std::string(text)};
  wipe((*setting)->text.data(), (*setting)->text.size());
  if (secret.reveal().starts_with("ENC[")) {
    return fail(fmt::format(
        "{} is a placeholder ENC[...] that nothing has resolved; give the value itself, or {}_FILE", name,
        name));
  }
  if (!has_form(secret.reveal())) {
    return fail(fmt::format("{} has {} characters and is not {}; is it whole, and is it the right one?", name,
                            secret.reveal().size(), expected));
  }
  return secret;
}

std::string own_hostname() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "par-runner";
}

// As config.yaml's `modes` is read, with both generations of names.
Result<std::vector<std::string>> read_modes(const Environment& environment, const Config& config) {
  Config read = config;
  const std::string_view text = variable(environment, "RUNNER_MODES");
  if (!text.empty()) {
    const auto option = std::find_if(options().begin(), options().end(),
                                     [](const Option& candidate) { return candidate.key == "modes"; });
    read.serves_push = false;
    const auto applied = option->apply(setting_of_variable("RUNNER_MODES", text), read);
    if (!applied) return fail("RUNNER_MODES: " + applied.error().message);
  }
  std::vector<std::string> modes = std::move(read.modes);
  if (read.serves_push) modes.emplace_back("push");
  return modes;
}

}  // namespace

bool has_enrollment_token(const Environment& environment) {
  return !variable(environment, k_token).empty() ||
         !variable(environment, std::string(k_token) + "_FILE").empty();
}

Result<EnrollmentSettings> read_enrollment_settings(EnrollmentKind kind, const Environment& environment,
                                                    const Config& config, Redactor& redactor) {
  EnrollmentSettings settings;
  settings.kind = kind;
  if (kind == EnrollmentKind::token) {
    auto token = read_secret(k_token, is_token, "the token that Datadog shows for a new runner", environment,
                             redactor);
    if (!token) return tl::unexpected(token.error());
    settings.token = std::move(*token);
    return settings;
  }

  auto api_key = read_secret("DD_API_KEY", is_api_key, "an API key (32 hex digits)", environment, redactor);
  if (!api_key) return tl::unexpected(api_key.error());
  auto app_key = read_secret("DD_APP_KEY", is_app_key,
                             "an application key (40 hex digits, or ddapp_ and 34 letters and digits)",
                             environment, redactor);
  if (!app_key) return tl::unexpected(app_key.error());
  auto modes = read_modes(environment, config);
  if (!modes) return tl::unexpected(modes.error());
  const std::string_view actions = variable(environment, "ACTIONS_ALLOWLIST");
  auto names = list_of(setting_of_variable("ACTIONS_ALLOWLIST", actions));
  if (!names) return fail("ACTIONS_ALLOWLIST: " + names.error().message);
  settings.api_key = std::move(*api_key);
  settings.app_key = std::move(*app_key);
  settings.name = trim(variable(environment, "RUNNER_NAME"));
  if (settings.name.empty()) settings.name = own_hostname();
  settings.modes = std::move(*modes);
  settings.actions = std::move(*names);
  return settings;
}

}  // namespace par::core
