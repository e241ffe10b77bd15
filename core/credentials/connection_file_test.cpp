#include "core/credentials/connection_file.hpp"

#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

using Kind = ConnectionToken::Kind;

Result<ConnectionInfo> read(const std::string& text) {
  const TestDirectory home;
  return read_connection_file(home.write("c.json", text), "c-1");
}

std::string error_of(const std::string& text) {
  const auto connection = read(text);
  REQUIRE_FALSE(connection);
  CHECK(connection.error().message.find("c.json: ") != std::string::npos);
  CHECK(connection.error().message.find("made-up") == std::string::npos);
  return connection.error().message;
}

}  // namespace

TEST_CASE("a connection written by hand has what a signed one can have") {
  const auto connection = read(R"({"id": "mine", "auth": "basic", "tokens": [
      {"name": "root_tokens.username", "plain_text": "ada"},
      {"name": ["root_tokens", "password"], "file": "users.json"},
      {"name": ["headers", "X.Y"], "plain_text": ""},
      {"name": "root_tokens.script", "yaml_file": "/a.yaml"}]})");
  REQUIRE(connection);
  CHECK(connection->connection_id == "mine");
  CHECK(connection->credentials_type == 2);
  REQUIRE(connection->tokens.size() == 4);
  const auto& [user, password, header, script] =
      std::tie(connection->tokens[0], connection->tokens[1], connection->tokens[2], connection->tokens[3]);
  CHECK(user.name_segments == std::vector<std::string>{"root_tokens", "username"});
  CHECK((user.kind == Kind::plain_text && user.value == "ada"));
  CHECK((password.kind == Kind::file_secret && password.value == "users.json"));
  CHECK(header.name_segments == std::vector<std::string>{"headers", "X.Y"});
  CHECK((header.kind == Kind::plain_text && header.value.empty()));
  CHECK(script.kind == Kind::yaml_file);
  const auto empty = read("{}");
  REQUIRE(empty);
  CHECK((empty->connection_id == "c-1" && empty->credentials_type == 1 && empty->tokens.empty()));
}

TEST_CASE("a credential file stands for a connection with all that it holds") {
  const TestDirectory home;
  const auto tokens = home.write("t.json", R"({"auth_type": "Token Auth", "credentials": [
      {"tokenName": "a", "tokenValue": "made-up"}, {"tokenName": "b", "tokenValue": "made-up"}]})");
  const auto with_tokens = read_connection_file(tokens, "c-1");
  REQUIRE(with_tokens);
  CHECK(with_tokens->credentials_type == 1);
  REQUIRE(with_tokens->tokens.size() == 2);
  CHECK(with_tokens->tokens[1].name_segments == std::vector<std::string>{"root_tokens", "b"});
  CHECK(with_tokens->tokens[1].value == "t.json");
  const auto with_user =
      read(R"({"auth_type": "Basic Auth", "credentials": [{"username": "ada", "password": "made-up"}]})");
  REQUIRE(with_user);
  CHECK(with_user->credentials_type == 2);
  CHECK(with_user->tokens[0].value == "ada");
}

TEST_CASE("what is wrong with a connection file is named by file, member and what was expected") {
  struct Row {
    const char* text;
    const char* error;
  };
  const Row row = GENERATE(
      Row{"{\n\"auth\" 1}", "at line 2, column 8"},
      Row{"[]", "expected an object, a connection (auth, tokens) or"},
      Row{R"({"auth_type": "Token Auth"})", "a list called credentials"},
      Row{R"({"auth_type": "Basic Auth", "credentials": []})", "it has 0 users, expected one"},
      Row{R"({"token": []})", "connection has no member \"token\" (did you mean \"tokens\"?)"},
      Row{R"({"id": 1})", "connection.id must be a text"},
      Row{R"({"auth": "tokens"})", "connection.auth must be token, basic"},
      Row{R"({"tokens": {}})", "connection.tokens must be a list"},
      Row{R"({"tokens": ["made-up"]})", "connection.tokens[0] must be a JSON object"},
      Row{R"({"tokens": [{"plain_text": "made-up"}]})", "connection.tokens[0] needs a name, such as"},
      Row{R"({"tokens": [{"name": [1]}]})", "connection.tokens[0].name must be a text or a list of texts"},
      Row{R"({"tokens": [{"name": [], "plain_text": "x"}]})", "has no name"},
      Row{R"({"tokens": [{"name": "base_url", "plain_text": 1}]})",
          "connection.tokens[0].plain_text must be a text"},
      Row{R"({"tokens": [{"name": "base_url", "plaintext": "x"}]})", "did you mean \"plain_text\"?"},
      Row{R"({"tokens": [{"name": "base_url", "plain_text": "x", "file": "y"}]})",
          "more than one of plain_text, file, yaml_file"},
      Row{R"({"tokens": [{"name": "root_tokens.a"}]})",
          "connection.tokens[0] (root_tokens.a) has no value; give plain_text"},
      Row{R"({"tokens": [{"name": "root_tokens.a.b", "file": "x"}]})", "must be root_tokens and one name"},
      Row{R"({"tokens": [{"name": "header.X", "plain_text": "x"}]})",
          "(did you mean \"headers\"?); there are root_tokens, base_url"},
      Row{R"({"tokens": [{"name": "base_url.x", "plain_text": "x"}]})", "must be base_url"},
      Row{R"({"tokens": [{"name": "headers", "plain_text": "x"}]})", "must be headers and one name"},
      Row{R"({"tokens": [{"name": "body.type", "plain_text": "x"}]})",
          "(body.type) is not known; body has content, content_type"},
      Row{R"({"tokens": [{"name": "base_url", "plain_text": "x"}, {"name": "headers.X", "file": "x"}]})",
          "connection.tokens[1] (headers.X) must be plain_text; only root_tokens are read from files"});
  CAPTURE(row.text);
  const std::string error = error_of(row.text);
  CAPTURE(error);
  CHECK(error.find(row.error) != std::string::npos);
}
