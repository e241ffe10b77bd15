#include "core/credentials/credential_file.hpp"

#include <fcntl.h>

#include "core/base/files.hpp"
#include "core/config/test_directory.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

std::string error_of(const std::string& text) {
  const auto file = CredentialFile::parse(text);
  REQUIRE_FALSE(file);
  return file.error().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("token files give values by name, the first of equal names") {
  const auto file = CredentialFile::parse(R"({"auth_type":"Token Auth","credentials":[
      {"tokenName":"a","tokenValue":"1\n\u00e9"},{"tokenName":"a","tokenValue":"2"},{"tokenName":"e","tokenValue":""}]})");
  REQUIRE(file);
  CHECK(file->type() == CredentialFile::Type::token);
  CHECK(file->find("a")->reveal() == "1\n\xc3\xa9");
  CHECK(file->find("e")->empty());
  CHECK(file->find("z") == nullptr);
}

TEST_CASE("basic files give passwords by user") {
  const auto file = CredentialFile::parse(
      R"({"auth_type":"Basic Auth","credentials":[{"username":"u","password":"p"},{"username":"v","password":"q"}]})");
  REQUIRE(file);
  CHECK(file->type() == CredentialFile::Type::basic);
  CHECK(file->find("v")->reveal() == "q");
}

TEST_CASE("both forms of Jenkins files mean the same") {
  const char* const form = GENERATE(
      R"({"auth_type":"Token Auth","credentials":[{"domain":"https://ci","username":"bot","token":"t"}]})",
      R"({"auth_type":"Token Auth","credentials":[{"tokenName":"domain","tokenValue":"https://ci"},
          {"tokenName":"username","tokenValue":"bot"},{"tokenName":"token","tokenValue":"t"}]})");
  const auto file = CredentialFile::parse(form);
  REQUIRE(file);
  CHECK(file->names() == std::vector<std::string>{"domain", "username", "token"});
  CHECK(file->find("token")->reveal() == "t");
}

TEST_CASE("malformed JSON is named with line and column") {
  CHECK(has(error_of("{\n  \"auth_type\": \"Token Auth\"\n  \"credentials\": []\n}"), "at line 3, column 3"));
  // The escapes become line ends in place, which must not count.
  CHECK(has(error_of("{\"a\": \"\\n\\n\\n\",\n x}"), "at line 2, column 2"));
  CHECK(has(error_of("x"), "at line 1, column 1"));
  CHECK(has(error_of("{} x"), "line 1"));
  CHECK(has(error_of("{"), "malformed JSON"));
  CHECK(has(error_of(std::string("{}\0", 3)), "zero byte"));
  CHECK(has(error_of(std::string(100'000, '[')), "nested too deeply"));
  CHECK(CredentialFile::parse("\xef\xbb\xbf{\"auth_type\":\"Token Auth\",\"credentials\":[]}"));
}

TEST_CASE("files of another shape are refused by the member that is wrong and without their values") {
  struct Row {
    const char* text;
    const char* error;
  };
  const Row row = GENERATE(
      Row{"[]", "expected an object"}, Row{"{}", "no auth_type"},
      Row{R"({"auth_type":1})", "auth_type is not a text"},
      Row{R"({"auth_type":"token auth"})",
          "auth_type is \"token auth\", expected \"Token Auth\" or \"Basic Auth\""},
      Row{R"({"auth_type":"Token Auth"})", "a list called credentials"},
      Row{R"({"auth_type":"Token Auth","credentials":{}})", "a list called credentials"},
      Row{R"({"auth_type":"Token Auth","credentials":["made-up"]})", "credentials[0] is not an object"},
      Row{R"({"auth_type":"Token Auth","credentials":[{"tokenName":"a"}]})",
          "credentials[0] has no tokenValue"},
      Row{R"({"auth_type":"Token Auth","credentials":[{},{"tokenValue":"made-up"}]})",
          "credentials[1] has no tokenName"},
      Row{R"({"auth_type":"Token Auth","credentials":[{"tokenName":"port","tokenValue":5432}]})",
          "credentials[0].tokenValue is not a text"},
      Row{R"({"auth_type":"Token Auth","credentials":[{"domain":["made-up"]}]})", "credentials[0].domain"},
      Row{R"({"auth_type":"Basic Auth","credentials":[{"tokenName":"a","tokenValue":"made-up"}]})",
          "has no username"});
  CAPTURE(row.text);
  const std::string error = error_of(row.text);
  CAPTURE(error);
  CHECK(has(error, row.error));
  CHECK_FALSE(has(error, "made-up"));
}

TEST_CASE("the templates for operators are read") {
  int read = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(PAR_SOURCE_DIR) / "config/credentials")) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().native());
    const auto text = read_credential_file(entry.path());
    REQUIRE(text);
    const auto file = CredentialFile::parse(*text);
    REQUIRE(file);
    CHECK_FALSE(file->names().empty());
    ++read;
  }
  CHECK(read > 0);
}

TEST_CASE("files are found where the connection says, or where they were kept before") {
  const Redactor redactor;
  const FileDescriptor null(::open("/dev/null", O_WRONLY));
  const Log log(null.get(), LogFormat::json, LogLevel::error, redactor);
  const TestDirectory home;
  const auto beside = home.write("beside.json", "x");
  const auto below = home.write("credentials/below.json", "x");
  CHECK(*locate_credential_file(beside.native(), home.path(), log) == beside);
  CHECK(*locate_credential_file("credentials/below.json", home.path(), log) == below);
  CHECK(*locate_credential_file("/gone/beside.json", home.path(), log) == beside);
  CHECK(*locate_credential_file("/gone/below.json", home.path(), log) == below);
  const auto missing = locate_credential_file("/gone/nowhere.json", home.path(), log);
  REQUIRE_FALSE(missing);
  CHECK(has(missing.error().message, "/gone/nowhere.json"));
  CHECK(has(missing.error().message, home.path().native()));
  CHECK(has(missing.error().message, "/etc/dd-action-runner/creds"));
  CHECK_FALSE(locate_credential_file("", home.path(), log));
  CHECK_FALSE(locate_credential_file("/gone/", home.path(), log));
}

TEST_CASE("files that are empty, too large or no files are refused") {
  const TestDirectory home;
  CHECK(has(read_credential_file(home.write("empty", "")).error().message, "empty"));
  CHECK(has(read_credential_file(home.write("large", std::string((1 << 20) + 1, ' '))).error().message,
            "larger than"));
  CHECK(read_credential_file(home.write("most", std::string(1 << 20, ' '))));
  CHECK(has(read_credential_file(home.path()).error().message, home.path().native()));
}
