#include "core/credentials/connection.hpp"

#include <fcntl.h>

#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/config/test_directory.hpp"
#include "core/telemetry/log.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

using Kind = ConnectionToken::Kind;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

ConnectionToken token(std::vector<std::string> segments, Kind kind, std::string value) {
  return {std::move(segments), kind, std::move(value)};
}

// A resolver with a directory of its own.
class World {
 public:
  World() {
    tokens_ = home_.write("credentials/tokens.json", R"({"auth_type":"Token Auth","credentials":[
        {"tokenName":"apiToken","tokenValue":"made-up-secret"},{"tokenName":"region","tokenValue":"north-1"}]})");
    users_ = home_.write("credentials/users.json", R"({"auth_type":"Basic Auth","credentials":[
        {"username":"svc","password":"made-up-password"}]})");
  }

  Result<ResolvedConnection, Failure> resolve(int type, std::vector<ConnectionToken> tokens,
                                              std::vector<TokenRule> rules = {}) {
    return resolver_.resolve({"c-1", type, "r-1", std::move(tokens)}, rules);
  }

  std::string error_of(int type, std::vector<ConnectionToken> tokens) {
    const auto connection = resolve(type, std::move(tokens));
    REQUIRE_FALSE(connection);
    CHECK(connection.error().code == ErrorCode::internal_error);
    CHECK_FALSE(has(connection.error().message, "made-up"));
    return connection.error().message;
  }

  TestDirectory home_;
  std::string tokens_;
  std::string users_;
  Redactor redactor_;
  FileDescriptor null_{::open("/dev/null", O_WRONLY)};
  Log log_{null_.get(), LogFormat::json, LogLevel::error, redactor_};
  CredentialResolver resolver_{home_.path(), redactor_, log_};
};

}  // namespace

TEST_CASE("a connection with tokens of every group becomes the plugin's JSON") {
  World world;
  const auto script = world.home_.write("credentials/script.yaml", "schemaId: script-credentials-v1\n");
  const auto connection = world.resolve(
      1, {token({"root_tokens", "region"}, Kind::file_secret, world.tokens_),
          token({"headers", "X-Key"}, Kind::plain_text, "{{ apiToken }}"),
          token({"root_tokens", "apiToken"}, Kind::file_secret, world.tokens_),
          token({"root_tokens", "user"}, Kind::plain_text, "in \"clear\""),
          token({"root_tokens", "configFileLocation"}, Kind::yaml_file, script),
          token({"base_url"}, Kind::plain_text, "https://api.lab"),
          token({"base_url"}, Kind::plain_text, "https://second"),
          token({"url_parameters", "p"}, Kind::plain_text, "1"),
          token({"url_parameters", "p"}, Kind::plain_text, "2"),
          token({"body", "content"}, Kind::plain_text, "{}"),
          token({"body", "content_type"}, Kind::plain_text, "application/json"),
          token({"testing", "path"}, Kind::plain_text, "/up"),
          token({"testing", "verb"}, Kind::plain_text, "GET"),
          token({"headers", "X-File"}, Kind::file_secret, world.tokens_),
          token({"something", "else"}, Kind::plain_text, "x"),
          token({"root_tokens", "deep", "er"}, Kind::plain_text, "x"), token({}, Kind::plain_text, "x")});
  REQUIRE(connection);
  CHECK(
      connection->json().reveal() ==
      R"({"id":"c-1","auth":"token","root_tokens":[{"name":"region","value":"north-1"},)"
      R"({"name":"apiToken","value":"made-up-secret"},{"name":"user","value":"in \"clear\""},)"
      R"({"name":"configFileLocation","value":"schemaId: script-credentials-v1\n"}],)"
      R"("base_url":"https://api.lab","headers":[{"name":"X-Key","value":"{{ apiToken }}"}],)"
      R"("url_parameters":[{"name":"p","value":"1"},{"name":"p","value":"2"}],)"
      R"("body":{"content":"{}","content_type":"application/json"},"testing":{"path":"/up","verb":"GET"}})");
}

TEST_CASE("a connection without root tokens has no authentication") {
  World world;
  const auto connection = world.resolve(1, {token({"base_url"}, Kind::plain_text, "https://api.lab")});
  REQUIRE(connection);
  CHECK(has(connection->json().reveal(), R"("auth":"none","root_tokens":[],"base_url":"https://api.lab")"));
}

TEST_CASE("an action without a connection gets an empty one") {
  World world;
  const auto connection = world.resolver_.resolve({}, {});
  REQUIRE(connection);
  CHECK(has(connection->json().reveal(), R"({"id":"","auth":"none")"));
}

TEST_CASE("basic authentication takes the password of the user that the connection names") {
  World world;
  const auto connection =
      world.resolve(2, {token({"root_tokens", "password"}, Kind::file_secret, world.users_),
                        token({"root_tokens", "username"}, Kind::plain_text, "svc")});
  REQUIRE(connection);
  CHECK(has(
      connection->json().reveal(),
      R"("auth":"basic","root_tokens":[{"name":"username","value":"svc"},{"name":"password","value":"made-up-password"}])"));
}

TEST_CASE("basic authentication needs a user in clear and a file") {
  World world;
  const auto user = token({"root_tokens", "username"}, Kind::plain_text, "svc");
  const auto password = token({"root_tokens", "password"}, Kind::file_secret, world.users_);
  CHECK(has(world.error_of(2, {password}), "no user name"));
  CHECK(has(world.error_of(2, {token({"root_tokens", "username"}, Kind::plain_text, ""), password}),
            "no user name"));
  CHECK(
      has(world.error_of(2, {token({"root_tokens", "username"}, Kind::file_secret, world.users_), password}),
          "no user name"));
  CHECK(has(world.error_of(2, {user}), "no credential file"));
  CHECK(has(world.error_of(2, {user, token({"root_tokens", "password"}, Kind::plain_text, "made-up")}),
            "no credential file"));
  CHECK(has(world.error_of(2, {token({"root_tokens", "username"}, Kind::plain_text, "nobody"), password}),
            "has no user \"nobody\"; it has \"svc\""));
}

TEST_CASE("a missing token names the file and the names that it has") {
  World world;
  const std::string error =
      world.error_of(1, {token({"root_tokens", "apitoken"}, Kind::file_secret, world.tokens_)});
  CHECK(has(error, world.tokens_ + " has no token \"apitoken\"; it has \"apiToken\", \"region\""));
}

TEST_CASE("types of credentials that the runner cannot serve are failures") {
  World world;
  CHECK(has(world.error_of(0, {}), "UNSPECIFIED"));
  CHECK(has(world.error_of(3, {}), "OAUTH2"));
  CHECK(has(world.error_of(17, {}), "number 17"));
}

TEST_CASE("files that cannot be read are failures that name them") {
  World world;
  const auto file_token = [](std::string path) {
    return token({"root_tokens", "t"}, Kind::file_secret, std::move(path));
  };
  CHECK(has(world.error_of(1, {file_token("/gone.json")}), "/gone.json does not exist"));
  CHECK(has(world.error_of(1, {file_token("")}), "names no credential file"));
  CHECK(has(world.error_of(1, {file_token(world.home_.write("e.json", ""))}), "e.json: empty"));
  CHECK(has(world.error_of(1, {file_token(world.home_.write("b.json", "{\n\"made-up\" 1}"))}),
            "b.json: malformed JSON: Missing a colon after a name of object member. at line 2, column 11"));
  CHECK(has(world.error_of(1, {token({"root_tokens", "t"}, Kind::none, "")}), "no value"));
  CHECK(has(world.error_of(1, {token({"root_tokens", "t"}, Kind::yaml_file, "/gone.yaml")}), "/gone.yaml"));
}

TEST_CASE("secrets are known to the redactor as long as the connection lives") {
  World world;
  {
    const auto connection =
        world.resolve(1,
                      {token({"root_tokens", "apiToken"}, Kind::file_secret, world.tokens_),
                       token({"root_tokens", "region"}, Kind::file_secret, world.tokens_)},
                      {{"apiToken", true}, {"region", false}});
    REQUIRE(connection);
    CHECK(world.redactor_.redact("x made-up-secret y north-1") == "x [redacted] y north-1");
    const auto undeclared =
        world.resolve(1, {token({"root_tokens", "region"}, Kind::file_secret, world.tokens_)});
    CHECK(world.redactor_.redact("north-1") == "[redacted]");
  }
  CHECK(world.redactor_.redact("x made-up-secret") == "x made-up-secret");
}

TEST_CASE("files are read anew for every task") {
  World world;
  const std::vector<ConnectionToken> tokens = {token({"root_tokens", "t"}, Kind::file_secret, "t.json")};
  world.home_.write(
      "t.json", R"({"auth_type":"Token Auth","credentials":[{"tokenName":"t","tokenValue":"first-value"}]})");
  CHECK(has(world.resolve(1, tokens)->json().reveal(), "first-value"));
  world.home_.write(
      "t.json",
      R"({"auth_type":"Token Auth","credentials":[{"tokenName":"t","tokenValue":"second-value"}]})");
  CHECK(has(world.resolve(1, tokens)->json().reveal(), "second-value"));
}
