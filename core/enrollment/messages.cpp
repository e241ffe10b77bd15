#include "core/enrollment/messages.hpp"

#include <array>

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/enrollment/settings.hpp"
#include "core/identity/identity.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_fingerprint_key = "enrollment-token-fingerprint-v1";
constexpr std::string_view k_binding_key = "enrollment-token-binding-key-v1";

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

}  // namespace par::core
