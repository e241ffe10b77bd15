#include "core/enrollment/refusals.hpp"

#include "core/base/url.hpp"
#include "core/enrollment/settings.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

EnrollmentSettings with_keys() {
  EnrollmentSettings settings;
  settings.kind = EnrollmentKind::api_keys;
  settings.name = "lab \"a\"";
  return settings;
}

std::string explained(const EnrollmentSettings& settings, int status, std::string_view body = {},
                      std::string_view location = {}, std::string_view sent_to = "https://api.datadoghq.eu") {
  const Url url = parse_url(sent_to).value();
  return explain_refusal(settings, {url, "datadoghq.eu", status, location, body});
}

std::string redirected(std::string_view location, std::string_view sent_to = "https://api.datadoghq.eu") {
  return explained(EnrollmentSettings(), 307, "", location, sent_to);
}

}  // namespace

TEST_CASE("each refusal says what to do, and bodies of 401 and 403 are not quoted") {
  const EnrollmentSettings keys = with_keys();
  CHECK(has(explained(keys, 401, "canary"), "DD_API_KEY or DD_APP_KEY is not valid at datadoghq.eu"));
  CHECK_FALSE(has(explained(keys, 401, "canary"), "canary"));
  CHECK(has(explained(keys, 403, "missing scope canary"), "on_prem_runner_write"));
  CHECK_FALSE(has(explained(keys, 403, "missing scope canary"), "canary"));
  CHECK(has(explained(keys, 403, R"({"errors":["Quota of runners reached"]})"), "as many runners"));
  for (const int status : {400, 409}) {
    const std::string text = explained(keys, status, R"({"errors":["Name already exists"]})");
    CHECK(has(text, "lab \"a\""));
    CHECK(has(text, "RUNNER_NAME"));
  }
  CHECK(has(explained(keys, 400, R"({"errors":["bad thing"]})"), "bad thing"));
  CHECK(has(explained(keys, 404), "DD_BASE_URL"));
  CHECK(has(explained(keys, 429), "later"));

  const EnrollmentSettings token;
  for (const int status : {400, 401, 403, 404, 409, 410}) CHECK(has(explained(token, status), "new token"));
  CHECK(has(explained(token, 429), "not spent"));
}

TEST_CASE("after an answer that neither confirms nor refuses it is said that the runner may exist") {
  for (const int status : {201, 204, 408, 500, 502, 503, 504}) {
    CAPTURE(status);
    const std::string by_token = explained(EnrollmentSettings(), status, "upstream timed out");
    CHECK(has(by_token, "HTTP " + std::to_string(status)));
    CHECK(has(by_token, "may have made the runner"));
    CHECK(has(by_token, "take a new one-time token"));
    CHECK(has(by_token, "upstream timed out"));
    CHECK_FALSE(has(by_token, "refuse"));
    const std::string by_keys = explained(with_keys(), status);
    CHECK(has(by_keys, "may have made the runner"));
    CHECK_FALSE(has(by_keys, "token"));
  }
  CHECK(explained(with_keys(), 500, std::string(5000, 'x')).size() < 1000);
}

TEST_CASE("a redirect names the origin that it leads to and nothing more of it") {
  const std::string text =
      redirected("https://user:canary@app.example.com:8443/canary/x?token=canary#canary");
  CHECK(has(text, "https://api.datadoghq.eu redirects to https://app.example.com:8443"));
  CHECK(has(text, "HTTP 307"));
  CHECK(has(text, "DD_BASE_URL"));
  CHECK_FALSE(has(text, "canary"));
  CHECK_FALSE(has(explained(EnrollmentSettings(), 302, "canary", "https://b.test/"), "canary"));
  CHECK(redirected("https://" + std::string(5000, 'a') + ".test/").size() < 1500);
}

TEST_CASE("a redirect to another Datadog site says how to set that site") {
  CHECK(has(redirected("https://api.us5.datadoghq.com/api/v2/x"),
            "set DD_BASE_URL to https://us5.datadoghq.com"));
  CHECK(has(redirected("//app.datadoghq.com/account/login?next=x"),
            "set DD_BASE_URL to https://datadoghq.com"));
  // The site that is configured is no other site.
  CHECK_FALSE(has(redirected("https://app.datadoghq.eu/account/login"), "while this runner is set to"));
  CHECK(has(redirected("https://api.datadoghq.eu/x", "http://api.datadoghq.eu"), "to https"));
}

TEST_CASE("a redirect that names no other host has its own wording") {
  for (const char* location :
       {"/account/login?canary", "login", "?canary", "https://api.datadoghq.eu/canary"}) {
    CAPTURE(location);
    CHECK(has(redirected(location), "https://api.datadoghq.eu redirects to another path of its own"));
    CHECK_FALSE(has(redirected(location), "canary"));
  }
  for (const char* location : {"", "  "}) CHECK(has(redirected(location), "no Location header"));
  for (const char* location : {"ftp://canary/", "https://", "javascript:canary"}) {
    CAPTURE(location);
    CHECK(has(redirected(location), "no http or https URL"));
    CHECK_FALSE(has(redirected(location), "canary"));
  }
}

TEST_CASE("after a redirect it is said how to find out whether it made a runner") {
  CHECK(has(redirected("https://b.test"), "take a new one"));
  const std::string by_keys = explained(with_keys(), 303, "", "https://b.test");
  CHECK(has(by_keys, "Private Action Runners"));
  CHECK_FALSE(has(by_keys, "token"));
}
