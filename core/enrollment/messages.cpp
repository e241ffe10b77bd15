#include "core/enrollment/messages.hpp"

#include <array>

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/enrollment/settings.hpp"
#include "core/identity/identity.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_fingerprint_key = "enrollment-token-fingerprint-v1";
constexpr std::string_view k_binding_key = "enrollment-token-binding-key-v1";
constexpr size_t k_quoted_body = 512;

// A text as a JSON string, with its quotes.
std::string quoted(std::string_view text) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.String(text);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string signed_part(std::string_view header, std::string_view payload) {
  return base64url_encode(header) + '.' + base64url_encode(payload);
}

std::vector<std::string> texts_in(const json::Value& object, const char* name) {
  std::vector<std::string> texts;
  const json::Value* const list = json::find(object, name);
  if (list == nullptr || !list->IsArray()) return texts;
  for (const json::Value& item : list->GetArray()) {
    if (item.IsString()) texts.emplace_back(json::text(item));
  }
  return texts;
}

bool mentions(std::string_view body, std::initializer_list<std::string_view> words) {
  const std::string text = to_lower(body);
  for (const std::string_view word : words) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string explain_token_refusal(int status, std::string_view site) {
  if (status >= 400 && status < 500 && status != 408 && status != 429) {
    return fmt::format(
        "the one-time token is not accepted: it is used, expired, cut off or of another site than {}. Take a "
        "new token from the page of the runner in Datadog and set DD_BASE_URL to your site. If an earlier "
        "start of this runner was broken off while it enrolled, the runner in Datadog has no working "
        "identity: delete it there",
        site);
  }
  return "whether the token is spent is unknown: if the next start says so, take a new one";
}

std::string explain_key_refusal(const EnrollmentSettings& settings, int status, std::string_view body,
                                std::string_view site) {
  switch (status) {
    case 401:
      return fmt::format(
          "DD_API_KEY or DD_APP_KEY is not valid at {}: are both of this site (DD_BASE_URL), of one "
          "organisation and not revoked?",
          site);
    case 403:
      if (mentions(body, {"quota", "limit", "maximum", "too many"})) {
        return "the organisation has as many runners as it may have: delete unused ones in Datadog, under "
               "Private Action Runners, or ask Datadog's support for more";
      }
      return "the application key may not enroll runners: it needs the scope on_prem_runner_write and "
             "Actions "
             "API access, and its owner the permissions Connections Write and Private Action Runner Write";
    case 400:
      if (mentions(body, {"already exists", "already taken", "already in use", "duplicate", "not unique"})) {
        return fmt::format(
            "there is a runner called \"{}\" already: choose another RUNNER_NAME, or, if it is what an "
            "earlier start left that was broken off while it enrolled, delete it in Datadog",
            cut_utf8(settings.name, 100));
      }
      return fmt::format("Datadog does not accept the request; is RUNNER_NAME (\"{}\") a name that it takes?",
                         cut_utf8(settings.name, 100));
    case 404:
      return fmt::format("{} knows no such request: is DD_BASE_URL your Datadog site?", site);
    case 429:
      return "too many requests: try again later";
    default:
      return "whether the runner was made is unknown: look for it in Datadog, under Private Action Runners, "
             "and delete it before you try again";
  }
}

}  // namespace

std::string account_binding(std::string_view token, const PrivateKey& key) {
  const std::string header = fmt::format(R"({{"alg":"HS256","kid":"{}","typ":"account_binding+jwt"}})",
                                         base64url_encode(hmac_sha256(k_fingerprint_key, token)));
  const std::string bound = signed_part(header, key.public_jwk());
  return bound + '.' + base64url_encode(hmac_sha256(hmac_sha256(k_binding_key, token), bound));
}

std::string token_enrollment_body(std::string_view token, const PrivateKey& key, std::string_view url) {
  const std::string header =
      fmt::format(R"({{"alg":"ES256","jwk":{},"typ":"account_registration_request+jwt","url":{}}})",
                  key.public_jwk(), quoted(url));
  const std::string payload =
      fmt::format(R"({{"externalAccountBinding":"{}"}})", account_binding(token, key));
  const std::string body = signed_part(header, payload);
  return body + '.' + base64url_encode(key.sign_es256(body));
}

std::string key_enrollment_body(const EnrollmentSettings& settings, const PrivateKey& key) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("data");
  writer.StartObject();
  writer.Key("type");
  writer.String("createRunnerRequest");
  writer.Key("attributes");
  writer.StartObject();
  writer.Key("runner_name");
  writer.String(settings.name);
  writer.Key("runner_modes");
  writer.StartArray();
  for (const std::string& mode : settings.modes) writer.String(mode);
  writer.EndArray();
  writer.Key("public_key_pem");
  writer.String(key.public_pem());
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<EnrollmentAnswer> parse_enrollment_answer(std::string_view body) {
  const auto document = parse_json(body);
  if (!document) return fail("the answer is not JSON: " + document.error().message);
  const json::Value* const data = json::find(*document, "data");
  const json::Value* const attributes = data == nullptr ? nullptr : json::find(*data, "attributes");
  if (attributes == nullptr || !attributes->IsObject()) return fail("the answer has no data.attributes");
  const json::Value* const runner_id = json::find(*attributes, "runner_id");
  const json::Value* const org_id = json::find(*attributes, "org_id");
  if (runner_id == nullptr || !runner_id->IsString()) return fail("the answer has no text runner_id");
  if (org_id == nullptr || !org_id->IsInt64()) return fail("the answer has no whole number org_id");
  return EnrollmentAnswer{org_id->GetInt64(), std::string(json::text(*runner_id)),
                          texts_in(*attributes, "runner_modes"), texts_in(*attributes, "actions_allowlist")};
}

std::string explain_refusal(const EnrollmentSettings& settings, int status, std::string_view body,
                            std::string_view site) {
  // Only these say that nothing was done.
  const bool refused = status >= 400 && status < 500 && status != 408;
  std::string text = fmt::format(
      "{} (HTTP {}): {}",
      refused ? "Datadog refuses the enrollment" : "Datadog did not confirm the enrollment", status,
      settings.kind == EnrollmentKind::token ? explain_token_refusal(status, site)
                                             : explain_key_refusal(settings, status, body, site));
  if (status != 401 && status != 403 && !trim(body).empty())
    text += fmt::format(". Its answer: {}", cut_utf8(trim(body), k_quoted_body));
  return text;
}

}  // namespace par::core
