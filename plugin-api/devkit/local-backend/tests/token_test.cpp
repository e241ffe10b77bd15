#include <chrono>

#include "core/base/encoding.hpp"
#include "plugin-api/devkit/local-backend/request_token.hpp"
#include "plugin-api/devkit/local-backend/tests/es256.hpp"
#include "tests/catch.hpp"

using namespace par::backend;
using std::chrono::seconds;

namespace {

// A throw-away key and a token that another implementation made with it.
constexpr const char* k_public_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVWv/iBSRq8sttZIjwRUT0B8O3V/g\n"
    "dGwOyNMLjvQViwEHjkNrP6rIku7wFm/JYWMZ/erPgK9IVaEGp/SUmDMewA==\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* k_token =
    "eyJhbGciOiJFUzI1NiIsImN0eSI6IkpXVCIsInR5cCI6IkpXVCJ9."
    "eyJleHAiOjE3NjcyMjU2NjAsImlhdCI6MTc2NzIyNTYwMCwib3JnSWQiOjQyNDIsInJ1bm5lcklkIjoicnVubmVyLTdRbTFleGFtcGxl"
    "RXhhbXBs"
    "ZTAifQ."
    "rk2hOEna8gtfVIwRg7tXgxbZ_lA8ssViFEX9lMPcNb1V6PaYN7Ex-qJ0_ACWlos-9TP8ZdkabyIb9_XhI15fhA";
constexpr const char* k_runner = "runner-7Qm1exampleExample0";
const par::core::SystemTime k_issued{seconds(1767225600)};

TokenChecker example_checker(int64_t org = 4242, const char* runner = k_runner) {
  return {public_key_from_pem(k_public_key).value(), org, runner};
}

std::string why(const Result<std::string>& result) {
  return result ? "" : result.error().message;
}

}  // namespace

TEST_CASE("the example token is accepted while it lives") {
  TokenChecker checker = example_checker();
  CHECK(why(checker.check(k_token, k_issued)).empty());
  CHECK(why(checker.check(k_token, k_issued + seconds(59))).empty());
  CHECK(why(checker.check(k_token, k_issued + seconds(60))) == "the token expired 0 s ago");
  CHECK(why(example_checker().check(k_token, k_issued + seconds(100))) == "the token expired 40 s ago");
}

TEST_CASE("a token for another organisation, runner or key is refused") {
  CHECK(why(example_checker(1).check(k_token, k_issued)) == "the token's orgId is not 1");
  CHECK(why(example_checker(4242, "runner-x").check(k_token, k_issued)) ==
        "the token's runnerId is not runner-x");
  TokenChecker other(make_p256_key(), 4242, k_runner);
  CHECK(why(other.check(k_token, k_issued)) == "the token's signature does not fit the enrolled key");
}

TEST_CASE("a token that is none is refused with the reason") {
  TokenChecker checker = example_checker();
  std::string damaged = k_token;
  damaged[damaged.size() - 2] = damaged[damaged.size() - 2] == 'h' ? 'i' : 'h';
  CHECK_FALSE(checker.check(damaged, k_issued));
  CHECK(why(checker.check("", k_issued)) == "there is no token");
  CHECK(why(checker.check("a.b", k_issued)) == "the token: it has 2 parts instead of 3");
  CHECK(why(checker.check("a+.b.c", k_issued)) == "the token: a part is not base64url without padding");
  CHECK(why(checker.check("e30.e30.AAAA", k_issued)) == "the token's alg is not ES256");
  CHECK(why(checker.check("W10.e30.AAAA", k_issued)) == "the token: the header is not a JSON object");
}

TEST_CASE("claims are looked at after the signature") {
  const Key key = make_p256_key();
  const auto token = [&](const std::string& header, const std::string& claims) {
    return par::test::compact_jws(key, header, claims);
  };
  const std::string header = R"({"alg":"ES256","cty":"JWT","typ":"JWT"})";
  const auto refused = [&](const std::string& made) {
    TokenChecker checker(key, 1, "r");
    return why(checker.check(made, k_issued));
  };
  CHECK(refused(token(header, R"({"orgId":1,"runnerId":"r","iat":1767225600,"exp":1767225660})")).empty());
  CHECK(refused(token(header, R"({"orgId":1,"runnerId":"r","exp":1767225660})")).empty());
  CHECK(refused(token(header, R"({"orgId":1,"runnerId":"r","iat":1767225600})")) == "the token has no exp");
  CHECK(refused(token(header, R"({"orgId":"1","runnerId":"r","exp":1767225660})")) ==
        "the token's orgId is not 1");
  CHECK(refused(token(header, R"({"orgId":1,"runnerId":"r","iat":1767225600,"exp":1767229200})")) ==
        "the token lives 3600 s, longer than 300 s");
  CHECK(refused(token(header, R"({"orgId":1,"runnerId":"r","iat":1767229200,"exp":1767229260})")) ==
        "the token's iat lies in the future");
  CHECK(refused(token(R"({"alg":"none"})", "{}")) == "the token's alg is not ES256");
  CHECK(refused(token(R"({"alg":"ES256","crit":[]})", "{}")) == "the token: the header has crit");
}

TEST_CASE("each runner is known by its own key") {
  const Key first = make_p256_key();
  const Key second = make_p256_key();
  TokenChecker checker(first, 1, "a");
  checker.add("b", second);
  const auto token = [](const Key& key, const char* runner) {
    return par::test::compact_jws(
        key, R"({"alg":"ES256","cty":"JWT","typ":"JWT"})",
        std::string(R"({"orgId":1,"exp":1767225660,"runnerId":")") + runner + "\"}");
  };
  CHECK(checker.check(token(first, "a"), k_issued).value_or("") == "a");
  CHECK(checker.check(token(second, "b"), k_issued).value_or("") == "b");
  CHECK_FALSE(checker.check(token(first, "b"), k_issued));
  CHECK_FALSE(checker.check(token(second, "a"), k_issued));
}
