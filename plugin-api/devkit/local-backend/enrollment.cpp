#include "plugin-api/devkit/local-backend/enrollment.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "plugin-api/devkit/local-backend/jws.hpp"
#include "plugin-api/devkit/local-backend/server.hpp"

namespace par::backend {
namespace {

using Refused = tl::unexpected<EnrollmentRefusal>;

Refused refuse(int status, std::string reason) {
  return Refused(EnrollmentRefusal{status, std::move(reason)});
}

std::string text_of(const json::Value& object, std::string_view name) {
  const json::Value* const value = json::find(object, name);
  return value != nullptr && value->IsString() ? std::string(json::text(*value)) : std::string();
}

// What is wrong with what both flows have in common; empty if nothing is.
std::string common_mistake(const Request& request, std::string_view content_type) {
  if (request.header("content-type") != content_type)
    return fmt::format("Content-Type is \"{}\", expected {}", request.header("content-type"), content_type);
  if (request.header("x-datadog-onprem-version").empty()) return "X-Datadog-OnPrem-Version is missing";
  if (!request.header("x-datadog-onprem-jwt").empty()) return "a runner that enrolls has no request token";
  return {};
}

// The key of a public JWK.
Result<Key> key_of(const json::Value& jwk) {
  if (!jwk.IsObject()) return core::fail("jwk is no object");
  if (json::find(jwk, "d") != nullptr) return core::fail("jwk holds the private number d");
  for (const auto& [name, expected] : {std::pair("kty", "EC"), std::pair("crv", "P-256"),
                                       std::pair("alg", "ES256"), std::pair("use", "sig")}) {
    if (text_of(jwk, name) != expected)
      return core::fail(fmt::format("jwk.{} is \"{}\", expected {}", name, text_of(jwk, name), expected));
  }
  const auto x = core::base64_decode(text_of(jwk, "x"));
  const auto y = core::base64_decode(text_of(jwk, "y"));
  if (!x || !y) return core::fail("jwk.x or jwk.y is not base64url");
  auto key = p256_public_key(*x, *y);
  if (key && text_of(jwk, "kid") != thumbprint(*key)) return core::fail("jwk.kid is not the thumbprint");
  return key;
}

bool same_json(const std::string& a, const std::string& b) {
  const auto left = core::parse_json(a);
  const auto right = core::parse_json(b);
  return left && right && *left == *right;
}

Result<std::vector<std::string>> modes_of(const json::Value& attributes) {
  const json::Value* const list = json::find(attributes, "runner_modes");
  if (list == nullptr || !list->IsArray() || list->Empty() || list->Size() > 2)
    return core::fail("runner_modes must be a list of one or two modes");
  std::vector<std::string> modes;
  for (const json::Value& mode : list->GetArray()) {
    if (!mode.IsString() || (json::text(mode) != "pull" && json::text(mode) != "push"))
      return core::fail("runner_modes: value not allowed");
    modes.emplace_back(json::text(mode));
  }
  return modes;
}

}  // namespace

std::string Enrollment::new_token(TokenSpec spec) {
  const std::string token = core::base64url_encode(core::random_bytes(24));
  const auto expires = std::chrono::system_clock::now() + std::chrono::seconds(spec.expires_in_seconds);
  tokens_[core::base64url_encode(core::hmac_sha256("enrollment-token-fingerprint-v1", token))] = {
      std::move(spec), core::hmac_sha256("enrollment-token-binding-key-v1", token), expires, false};
  return token;
}

Result<Enrollment::Made, EnrollmentRefusal> Enrollment::with_token(const Request& request,
                                                                   std::string_view url) {
  if (const std::string mistake = common_mistake(request, "application/jose+json"); !mistake.empty())
    return refuse(400, mistake);
  const auto outer = Jws::parse(request.body);
  if (!outer) return refuse(400, "the request: " + outer.error().message);
  const auto header = core::parse_json(outer->header).value();
  if (text_of(header, "alg") != "ES256" || text_of(header, "typ") != "account_registration_request+jwt")
    return refuse(400,
                  "the request's header has another alg or typ than ES256, account_registration_request+jwt");
  if (json::find(header, "kid") != nullptr) return refuse(400, "the request's header has kid beside jwk");
  const json::Value* const jwk = json::find(header, "jwk");
  if (jwk == nullptr) return refuse(400, "the request's header has no jwk");
  auto key = key_of(*jwk);
  if (!key) return refuse(400, "the request's header: " + key.error().message);
  if (!verify_es256(*key, outer->signed_part, outer->signature))
    return refuse(401, "the request's signature does not fit its jwk");
  if (text_of(header, "url") != url)
    return refuse(
        400, fmt::format("the request is signed for {}, but was sent to {}", text_of(header, "url"), url));
  const auto payload = core::parse_json(outer->payload);
  if (!payload || !payload->IsObject() || payload->MemberCount() != 1)
    return refuse(400, "the request's payload is not an object with one member");
  auto token = bound_token(text_of(*payload, "externalAccountBinding"), json::write(*jwk), request.arrived);
  if (!token) return Refused(token.error());
  (*token)->used = true;
  const EnrolledRunner& runner = add("runner of a token", std::move(*key), (*token)->spec.modes);
  return Made{&runner, (*token)->spec.actions};
}

Result<Enrollment::Token*, EnrollmentRefusal> Enrollment::bound_token(std::string_view binding,
                                                                      const std::string& jwk,
                                                                      core::SystemTime now) {
  const auto inner = Jws::parse(binding);
  if (!inner) return refuse(400, "externalAccountBinding: " + inner.error().message);
  const auto header = core::parse_json(inner->header).value();
  if (text_of(header, "alg") != "HS256" || text_of(header, "typ") != "account_binding+jwt")
    return refuse(400, "externalAccountBinding has another alg or typ than HS256, account_binding+jwt");
  const auto found = tokens_.find(text_of(header, "kid"));
  if (found == tokens_.end()) return refuse(401, "there is no such enrollment token");
  Token& token = found->second;
  if (core::hmac_sha256(token.binding_key, inner->signed_part) != inner->signature)
    return refuse(401, "the MAC of externalAccountBinding does not fit its token");
  if (!same_json(inner->payload, jwk))
    return refuse(400, "externalAccountBinding is about another key than jwk");
  if (token.used) return refuse(409, "the enrollment token was used");
  if (token.expires <= now) return refuse(401, "the enrollment token has expired");
  return &token;
}

Result<Enrollment::Made, EnrollmentRefusal> Enrollment::with_keys(const Request& request) {
  if (const std::string mistake = common_mistake(request, "application/vnd.api+json"); !mistake.empty())
    return refuse(400, mistake);
  if (request.header("dd-api-key") != api_key_ || request.header("dd-application-key") != app_key_)
    return refuse(401, fmt::format("invalid authentication with {}", request.header("dd-api-key")));
  if (!may_enroll) return refuse(403, "the application key lacks the scope on_prem_runner_write");
  const auto body = core::parse_json(request.body);
  if (!body) return refuse(400, "the body is not JSON: " + body.error().message);
  const json::Value* const data = json::find(*body, "data");
  const json::Value* const attributes = data == nullptr ? nullptr : json::find(*data, "attributes");
  if (attributes == nullptr || !attributes->IsObject()) return refuse(400, "data.attributes is missing");
  if (text_of(*data, "type") != "createRunnerRequest" || json::find(*data, "id") != nullptr)
    return refuse(400, "data has an id, or another type than createRunnerRequest");
  const std::string name = text_of(*attributes, "runner_name");
  if (name.empty()) return refuse(400, "runner_name is missing");
  auto modes = modes_of(*attributes);
  if (!modes) return refuse(400, modes.error().message);
  auto key = public_key_from_pem(text_of(*attributes, "public_key_pem"));
  if (!key || !is_p256(*key)) return refuse(400, "public_key_pem is no P-256 public key in PEM form");
  if (most_runners && static_cast<int64_t>(runners_.size()) >= *most_runners)
    return refuse(403, "the quota of runners of the organisation is reached");
  if (std::any_of(runners_.begin(), runners_.end(), [&](const auto& runner) { return runner.name == name; }))
    return refuse(400, fmt::format("runner name already exists: {}", name));
  return Made{&add(name, std::move(*key), std::move(*modes)), std::nullopt};
}

Result<const EnrolledRunner*> Enrollment::adopt(std::string id, const json::Value& jwk) {
  auto key = key_of(jwk);
  if (!key) return tl::unexpected(key.error());
  if (std::any_of(runners_.begin(), runners_.end(), [&](const auto& runner) { return runner.id == id; }))
    return core::fail(fmt::format("there is a runner \"{}\" already", id));
  runners_.push_back({std::move(id), "enrolled elsewhere", std::move(*key), {"pull"}});
  return &runners_.back();
}

const EnrolledRunner& Enrollment::add(std::string name, Key key, std::vector<std::string> modes) {
  runners_.push_back({fmt::format("runner-{}", core::base64url_encode(core::random_bytes(16))),
                      std::move(name), std::move(key), std::move(modes)});
  return runners_.back();
}

}  // namespace par::backend
