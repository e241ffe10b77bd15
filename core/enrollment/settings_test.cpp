#include "core/enrollment/settings.hpp"

#include "core/config/test_directory.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

const std::string k_api_key = "0123456789abcdef0123456789ABCDEF";
const std::string k_app_key = "0123456789abcdef0123456789abcdef01234567";

Config base() {
  return *load_config({{"DD_PRIVATE_RUNNER_CONFIG_DIR", "/nonexistent"}}, "/p", false);
}

Result<EnrollmentSettings> read(EnrollmentKind kind, const Environment& environment) {
  Redactor redactor;
  return read_enrollment_settings(kind, environment, base(), redactor);
}

std::string why(EnrollmentKind kind, const Environment& environment) {
  const auto settings = read(kind, environment);
  REQUIRE_FALSE(settings);
  return settings.error().message;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a token comes from its variable or a file, without blanks, and is known to the redactor") {
  CHECK(has_enrollment_token({{"RUNNER_ENROLLMENT_TOKEN", "t"}}));
  CHECK(has_enrollment_token({{"RUNNER_ENROLLMENT_TOKEN_FILE", "/f"}}));
  CHECK_FALSE(has_enrollment_token({{"RUNNER_ENROLLMENT_TOKEN", ""}}));

  const TestDirectory files;
  const std::string file = files.write("token", " the-token-value\n").native();
  Redactor redactor;
  const auto settings = read_enrollment_settings(EnrollmentKind::token,
                                                 {{"RUNNER_ENROLLMENT_TOKEN_FILE", file}}, base(), redactor);
  REQUIRE(settings);
  CHECK(settings->token.reveal() == "the-token-value");
  CHECK_FALSE(has(redactor.redact("the-token-value"), "token-value"));
}

TEST_CASE("keys come with name, modes and actions of their variables") {
  for (const std::string& app_key :
       {k_app_key, "pub" + k_app_key, std::string("ddapp_0123456789abcdefghijklmnopqrstuvWX")}) {
    const auto settings = read(EnrollmentKind::api_keys, {{"DD_API_KEY", k_api_key},
                                                          {"DD_APP_KEY", app_key},
                                                          {"RUNNER_NAME", " lab "},
                                                          {"RUNNER_MODES", "workflowAutomation,appBuilder"},
                                                          {"ACTIONS_ALLOWLIST", "a.b, c.d\ne.f"}});
    REQUIRE(settings);
    CHECK(settings->api_key.reveal() == k_api_key);
    CHECK(settings->app_key.reveal() == app_key);
    CHECK(settings->name == "lab");
    CHECK(settings->modes == std::vector<std::string>{"pull", "push"});
    CHECK(settings->actions == std::vector<std::string>{"a.b", "c.d", "e.f"});
  }
  const auto least = read(EnrollmentKind::api_keys, {{"DD_API_KEY", k_api_key}, {"DD_APP_KEY", k_app_key}});
  REQUIRE(least);
  CHECK_FALSE(least->name.empty());
  CHECK(least->modes == std::vector<std::string>{"pull"});
  CHECK(least->actions.empty());
}

TEST_CASE("what cannot be right is refused before anything is sent, by its variable and without its value") {
  using enum EnrollmentKind;
  CHECK(has(why(token, {}), "RUNNER_ENROLLMENT_TOKEN is not set"));
  CHECK(has(why(token, {{"RUNNER_ENROLLMENT_TOKEN", "two words"}}),
            "RUNNER_ENROLLMENT_TOKEN has 9 characters"));
  CHECK(has(why(token, {{"RUNNER_ENROLLMENT_TOKEN", "ENC[vault]"}}), "placeholder"));
  CHECK(has(why(token, {{"RUNNER_ENROLLMENT_TOKEN_FILE", "/nonexistent"}}), "RUNNER_ENROLLMENT_TOKEN_FILE"));
  CHECK(has(why(api_keys, {{"DD_APP_KEY", k_app_key}}), "DD_API_KEY is not set"));
  CHECK(has(why(api_keys, {{"DD_API_KEY", k_api_key}}), "DD_APP_KEY is not set"));
  CHECK(has(why(api_keys, {{"DD_API_KEY", "ENC[x]"}, {"DD_APP_KEY", k_app_key}}),
            "DD_API_KEY is a placeholder"));
  CHECK(
      has(why(api_keys, {{"DD_API_KEY", k_api_key}, {"DD_APP_KEY", k_app_key}, {"RUNNER_MODES", "sideways"}}),
          "RUNNER_MODES"));
  // An application key in the place of the API key, one cut off, and one of another form.
  for (const std::string& wrong : {k_app_key, k_api_key.substr(1), std::string(32, 'g')}) {
    const std::string text = why(api_keys, {{"DD_API_KEY", wrong}, {"DD_APP_KEY", k_app_key}});
    CHECK(has(text, "DD_API_KEY has"));
    CHECK_FALSE(has(text, wrong));
  }
  for (const std::string& wrong : {k_api_key, std::string("ddapp_short"), "app" + k_app_key}) {
    const std::string text = why(api_keys, {{"DD_API_KEY", k_api_key}, {"DD_APP_KEY", wrong}});
    CHECK(has(text, "DD_APP_KEY has"));
    CHECK_FALSE(has(text, wrong));
  }
}
