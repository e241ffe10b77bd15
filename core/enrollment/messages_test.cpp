#include "core/enrollment/messages.hpp"

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/enrollment/settings.hpp"
#include "core/identity/identity.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

// A throw-away key that no runner was ever enrolled with.
constexpr std::string_view k_key =
    "eyJ1c2UiOiJzaWciLCJrdHkiOiJFQyIsImtpZCI6IjFDNWdydlVQYmpfWF9MX2pRM3ZEUjRwNlk1bWYtY3A4Y2hJRWxKVUtKYTgiLCJj"
    "cnYiOiJQLTI1NiIsImFsZyI6IkVTMjU2IiwieCI6IlZXdl9pQlNScThzdHRaSWp3UlVUMEI4TzNWX2dkR3dPeU5NTGp2UVZpd0UiLCJ5"
    "IjoiQjQ1RGF6LXF5Skx1OEJadnlXRmpHZjNxejRDdlNGV2hCcWYwbEpnekhzQSIsImQiOiJMMmlyR0xIaGNCa2ZlSm5oZnlVUHBCMHlG"
    "dVVDY1ZJeHV2dXpXT3o3RXNRIn0";
constexpr std::string_view k_token = "enrollment-token-example";
constexpr std::string_view k_binding =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6InoyOXFoSmRyTUEtUlBpaDQ2VXBzY2t4YUZjNFVmbWgwYW1CaVlhUGtZSkUiLCJ0eXAiOiJhY2Nv"
    "dW50X2JpbmRpbmcrand0In0.eyJhbGciOiJFUzI1NiIsImNydiI6IlAtMjU2Iiwia2lkIjoiMUM1Z3J2VVBial9YX0xfalEzdkRSNHA2"
    "WTVtZi1jcDhjaElFbEpVS0phOCIsImt0eSI6IkVDIiwidXNlIjoic2lnIiwieCI6IlZXdl9pQlNScThzdHRaSWp3UlVUMEI4TzNWX2dk"
    "R3dPeU5NTGp2UVZpd0UiLCJ5IjoiQjQ1RGF6LXF5Skx1OEJadnlXRmpHZjNxejRDdlNGV2hCcWYwbEpnekhzQSJ9."
    "iWp76Z-E0DtvHH58n6st6ypAc1qdCZy9Wo1sZD2xW7o";

PrivateKey example_key() {
  return PrivateKey::from_config(k_key).value();
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

EnrollmentSettings with_keys() {
  EnrollmentSettings settings;
  settings.kind = EnrollmentKind::api_keys;
  settings.api_key = Secret("0123456789abcdef0123456789abcdef");
  settings.app_key = Secret("0123456789abcdef0123456789abcdef01234567");
  settings.name = "lab \"a\"";
  settings.modes = {"pull"};
  return settings;
}

}  // namespace

TEST_CASE("the binding of a key to a token is the known one") {
  CHECK(account_binding(k_token, example_key()) == k_binding);
}

TEST_CASE(
    "an enrollment with a token is signed for its URL and holds neither the token nor the private key") {
  const std::string body = token_enrollment_body(k_token, example_key(), "https://api.example.com/x?a=\"b\"");
  const auto parts = split(body, '.');
  REQUIRE(parts.size() == 3);
  const auto header = parse_json(*base64_decode(parts[0]));
  REQUIRE(header);
  CHECK(par::json::text((*header)["alg"]) == "ES256");
  CHECK(par::json::text((*header)["typ"]) == "account_registration_request+jwt");
  CHECK(par::json::text((*header)["url"]) == "https://api.example.com/x?a=\"b\"");
  CHECK_FALSE(header->HasMember("kid"));
  CHECK_FALSE((*header)["jwk"].HasMember("d"));
  const auto payload = parse_json(*base64_decode(parts[1]));
  REQUIRE(payload);
  CHECK(payload->MemberCount() == 1);
  CHECK(par::json::text((*payload)["externalAccountBinding"]) == k_binding);
  CHECK(base64_decode(parts[2])->size() == 64);
  for (const std::string_view part : parts) CHECK_FALSE(has(*base64_decode(part), k_token));
}

TEST_CASE("an enrollment with keys names the runner and its public key, and no key of the operator") {
  const EnrollmentSettings settings = with_keys();
  const std::string text = key_enrollment_body(settings, example_key());
  const auto body = parse_json(text);
  REQUIRE(body);
  const auto& data = (*body)["data"];
  CHECK(par::json::text(data["type"]) == "createRunnerRequest");
  CHECK_FALSE(data.HasMember("id"));
  CHECK(par::json::text(data["attributes"]["runner_name"]) == "lab \"a\"");
  CHECK(par::json::text(data["attributes"]["runner_modes"][0]) == "pull");
  CHECK(par::json::text(data["attributes"]["public_key_pem"]) == example_key().public_pem());
  CHECK_FALSE(has(text, settings.api_key.reveal()));
}

TEST_CASE("an answer gives the runner, with modes and actions where it has them") {
  const auto full = parse_enrollment_answer(
      R"({"data":{"type":"enrollment","id":"e","attributes":{"runner_id":"runner-1","org_id":4242,
          "runner_modes":["pull","push"],"actions_allowlist":["a.b"]}}})");
  REQUIRE(full);
  CHECK(full->runner_id == "runner-1");
  CHECK(full->org_id == 4242);
  CHECK(full->modes == std::vector<std::string>{"pull", "push"});
  CHECK(full->actions == std::vector<std::string>{"a.b"});
  const auto least = parse_enrollment_answer(
      R"({"data":{"attributes":{"runner_id":"r","org_id":1,"runner_modes":null,"actions_allowlist":null}}})");
  REQUIRE(least);
  CHECK(least->modes.empty());
  CHECK(least->actions.empty());
}

TEST_CASE("an answer that names no runner is refused with what is missing") {
  const auto why = [](std::string_view body) {
    const auto answer = parse_enrollment_answer(body);
    return answer ? std::string() : answer.error().message;
  };
  CHECK(has(why("<html>"), "not JSON"));
  CHECK(has(why("[]"), "data.attributes"));
  CHECK(has(why(R"({"data":{"attributes":[]}})"), "data.attributes"));
  CHECK(has(why(R"({"data":{"attributes":{"org_id":1}}})"), "runner_id"));
  CHECK(has(why(R"({"data":{"attributes":{"runner_id":"r","org_id":"1"}}})"), "org_id"));
  CHECK(has(why(R"({"data":{"attributes":{"runner_id":"r","org_id":1.5}}})"), "org_id"));
}
