#include "plugin-api/devkit/local-backend/enrollment.hpp"

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "plugin-api/devkit/local-backend/server.hpp"
#include "plugin-api/devkit/local-backend/tests/es256.hpp"
#include "tests/catch.hpp"

using namespace par::backend;
namespace core = par::core;
namespace json = par::json;

namespace {

constexpr const char* k_url = "https://localhost/api/v2/on-prem-management-service/enrollments/complete";

Enrollment example() {
  return {{}, "00000000000000000000000000000000", "1111111111111111111111111111111111111111"};
}

// What a runner sends to enroll with a token; each part can be changed for the worse.
struct TokenMessage {
  Key key = make_p256_key();
  Key bound_key = key;
  std::string alg = "ES256";
  std::string url = k_url;
  std::string more;  // members of the outer header
  std::string binding_token;

  std::string jwk(const Key& of) const {
    const auto full = core::parse_json(*core::base64_decode(private_jwk(of))).value();
    const auto part = [&full](const char* name) { return std::string(json::text(full[name])); };
    return fmt::format(
        R"({{"alg":"ES256","crv":"P-256","kid":"{}","kty":"EC","use":"sig","x":"{}","y":"{}"}})", part("kid"),
        part("x"), part("y"));
  }

  std::string body(const std::string& token) const {
    const std::string& mac_token = binding_token.empty() ? token : binding_token;
    const std::string header =
        fmt::format(R"({{"alg":"HS256","kid":"{}","typ":"account_binding+jwt"}})",
                    core::base64url_encode(core::hmac_sha256("enrollment-token-fingerprint-v1", token)));
    const std::string bound = core::base64url_encode(header) + "." + core::base64url_encode(jwk(bound_key));
    const std::string mac =
        core::hmac_sha256(core::hmac_sha256("enrollment-token-binding-key-v1", mac_token), bound);
    return par::test::compact_jws(
        key,
        fmt::format(R"({{"alg":"{}","jwk":{},"typ":"account_registration_request+jwt","url":"{}"{}}})", alg,
                    jwk(key), url, more),
        fmt::format(R"({{"externalAccountBinding":"{}.{}"}})", bound, core::base64url_encode(mac)));
  }
};

Request request_of(std::string body, const char* type = "application/jose+json") {
  Request request;
  request.headers = {{"content-type", type}, {"x-datadog-onprem-version", "1.21.0"}};
  request.body = std::move(body);
  request.arrived = std::chrono::system_clock::now();
  return request;
}

std::string why(const Result<Enrollment::Made, EnrollmentRefusal>& made) {
  return made ? std::string() : fmt::format("{} {}", made.error().status, made.error().reason);
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a token makes one runner, with the modes and actions that were chosen for it") {
  Enrollment enrollment = example();
  const std::string token = enrollment.new_token({{"pull"}, {"a.b"}, 60});
  const TokenMessage message;
  const auto made = enrollment.with_token(request_of(message.body(token)), k_url);
  CHECK(why(made).empty());
  REQUIRE(made);
  CHECK(made->runner->modes == std::vector<std::string>{"pull"});
  CHECK(made->actions == std::vector<std::string>{"a.b"});
  CHECK(public_pem(made->runner->public_key) == public_pem(message.key));
  CHECK(why(enrollment.with_token(request_of(TokenMessage().body(token)), k_url)) ==
        "409 the enrollment token was used");
  CHECK(enrollment.runners().size() == 1);
}

TEST_CASE("an enrollment with a token is refused for each thing that is wrong with it") {
  Enrollment enrollment = example();
  const std::string token = enrollment.new_token({});
  const auto refused = [&](const TokenMessage& message) {
    return why(enrollment.with_token(request_of(message.body(token)), k_url));
  };
  TokenMessage elsewhere;
  elsewhere.url = "https://example.com/";
  CHECK(has(refused(elsewhere), "400 the request is signed for https://example.com/"));
  TokenMessage other_key;
  other_key.bound_key = make_p256_key();
  CHECK(has(refused(other_key), "400 externalAccountBinding is about another key"));
  TokenMessage other_token;
  other_token.binding_token = "guess";
  CHECK(has(refused(other_token), "401 the MAC"));
  TokenMessage with_kid;
  with_kid.more = R"(,"kid":"x")";
  CHECK(has(refused(with_kid), "400 the request's header has kid"));
  TokenMessage none;
  none.alg = "none";
  CHECK(has(refused(none), "400 the request's header has another alg"));

  const TokenMessage good;
  const auto damaged = [&] {
    std::string body = good.body(token);
    body[body.size() - 5] = body[body.size() - 5] == 'A' ? 'B' : 'A';
    return body;
  };
  CHECK(has(why(enrollment.with_token(request_of(damaged()), k_url)), "401 the request's signature"));
  CHECK(has(why(enrollment.with_token(request_of(good.body("unknown")), k_url)), "401 there is no such"));
  CHECK(has(why(enrollment.with_token(request_of(good.body(token), "application/json"), k_url)),
            "400 Content-Type"));
  CHECK(has(why(enrollment.with_token(request_of("a.b"), k_url)), "2 parts instead of 3"));
  const std::string old = enrollment.new_token({{"pull"}, {}, -1});
  CHECK(has(why(enrollment.with_token(request_of(good.body(old)), k_url)),
            "401 the enrollment token has expired"));
  CHECK(enrollment.runners().empty());
  CHECK(refused(good).empty());
}

TEST_CASE("a runner that was enrolled elsewhere is let in with its public key") {
  Enrollment enrollment = example();
  const TokenMessage message;
  const std::string jwk = message.jwk(message.key);
  const auto adopt = [&enrollment](const char* id, const std::string& text) {
    const auto parsed = core::parse_json(text).value();
    const auto runner = enrollment.adopt(id, parsed);
    return runner ? public_pem((*runner)->public_key) : runner.error().message;
  };
  CHECK(adopt("runner-x", jwk) == public_pem(message.key));
  CHECK(enrollment.runners().front().id == "runner-x");
  CHECK(has(adopt("runner-x", jwk), "there is a runner \"runner-x\" already"));
  CHECK(has(adopt("runner-y", "[]"), "jwk is no object"));
  CHECK(
      has(adopt("runner-y", std::string(*core::base64_decode(private_jwk(message.key)))), "private number"));
  CHECK(enrollment.runners().size() == 1);
}

TEST_CASE("an enrollment with keys wants both, the scope, a free name, room and a P-256 key") {
  Enrollment enrollment = example();
  const auto body = [](const std::string& name, const std::string& pem,
                       const std::string& modes = R"(["pull"])") {
    return fmt::format(
        R"({{"data":{{"type":"createRunnerRequest","attributes":{{"runner_name":"{}","runner_modes":{},"public_key_pem":"{}"}}}}}})",
        name, modes, pem);
  };
  std::string pem = public_pem(make_p256_key());
  for (size_t at = 0; (at = pem.find('\n', at)) != std::string::npos; at += 2) pem.replace(at, 1, "\\n");
  const auto ask = [&](const std::string& text, const std::string& app_key) {
    Request request = request_of(text, "application/vnd.api+json");
    request.headers.emplace_back("dd-api-key", enrollment.api_key());
    request.headers.emplace_back("dd-application-key", app_key);
    return why(enrollment.with_keys(request));
  };
  const std::string app_key = enrollment.app_key();
  CHECK(has(ask(body("one", pem), "x"), "401 invalid authentication"));
  enrollment.may_enroll = false;
  CHECK(has(ask(body("one", pem), app_key), "403 the application key lacks"));
  enrollment.may_enroll = true;
  CHECK(has(ask(body("", pem), app_key), "400 runner_name is missing"));
  CHECK(has(ask(body("one", "no key"), app_key), "400 public_key_pem"));
  CHECK(has(ask(body("one", pem, R"(["both"])"), app_key), "400 runner_modes"));
  CHECK(has(ask(body("one", pem, "[]"), app_key), "400 runner_modes"));
  CHECK(ask(body("one", pem), app_key).empty());
  CHECK(has(ask(body("one", pem), app_key), "400 runner name already exists"));
  enrollment.most_runners = 1;
  CHECK(has(ask(body("two", pem), app_key), "403 the quota"));
  CHECK(enrollment.runners().size() == 1);
}
