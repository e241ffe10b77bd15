#include "login.hpp"

#include <par/sdk/error.hpp>

#include "server_error.hpp"
#include "tests/catch.hpp"

using namespace postgresql_plugin;

namespace {

// A connection with these tokens in place of, or besides, those that every one needs.
std::string problem_of(std::vector<std::pair<std::string, std::string>> changed) {
  std::vector<std::pair<std::string, std::string>> tokens = {{"host", "db"},    {"port", "5432"},
                                                             {"user", "u"},     {"password", "pw"},
                                                             {"database", "d"}, {"sslmode", "require"}};
  for (const auto& [name, value] : changed) {
    auto at =
        std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) { return token.first == name; });
    if (at == tokens.end()) {
      tokens.emplace_back(name, value);
    } else {
      at->second = value;
    }
  }
  std::string json = R"({"auth":"token","root_tokens":[)";
  for (const auto& [name, value] : tokens) {
    json +=
        (json.back() == '[' ? "{\"name\":\"" : ",{\"name\":\"") + name + "\",\"value\":\"" + value + "\"}";
  }
  try {
    const par::Connection connection(json + "]}");
    const Login login(connection);
  } catch (const par::Error& error) {
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("all missing tokens are named at once") {
  CHECK(problem_of({}).empty());
  CHECK(problem_of({{"user", ""}, {"sslmode", ""}}) ==
        "the connection lacks the tokens \"user\", \"sslmode\"; a PostgreSQL connection needs host, port, "
        "user, password, "
        "database and sslmode");
}

TEST_CASE("a token that cannot be right is named with what is expected") {
  for (const char* const port : {"0", "65536", "5432x", "-1", " 1"}) {
    CHECK(problem_of({{"port", port}}) ==
          "the token \"port\" is \"" + std::string(port) + "\"; expected a number from 1 to 65535");
  }
  for (const char* const mode : {"prefer", "allow", "Require", "verify-none"}) {
    CHECK(problem_of({{"sslmode", mode}}).find("expected require or disable") != std::string::npos);
  }
  for (const char* const mode : {"disable", "verify-ca", "verify-full"})
    CHECK(problem_of({{"sslmode", mode}}).empty());
  for (const char* const host : {"/var/run/postgresql", "@abstract", "a,b"}) {
    CHECK(problem_of({{"host", host}}).find("expected one host name") != std::string::npos);
  }
  CHECK(problem_of({{"sslrootcert", "/etc/ssl/ca.pem"}}).find("PEM") != std::string::npos);
  CHECK(problem_of({{"password", "a\\u0000b"}}).find("NUL") != std::string::npos);
}

TEST_CASE("a certificate is verified where the mode says so, or a CA is given") {
  const auto verifies = [](const std::string& mode, const std::string& ca) {
    const par::Connection connection(
        R"({"root_tokens":[{"name":"host","value":"h"},{"name":"port","value":"1"},{"name":"user","value":"u"},
        {"name":"password","value":"p"},{"name":"database","value":"d"},{"name":"sslmode","value":")" +
        mode + R"("},{"name":"sslrootcert","value":")" + ca + "\"}]}");
    return Login(connection).verifies();
  };
  const std::string ca = "-----BEGIN CERTIFICATE-----";
  CHECK_FALSE(verifies("disable", ca));
  CHECK_FALSE(verifies("require", ""));
  CHECK(verifies("require", ca));
  CHECK(verifies("verify-ca", ""));
  CHECK(verifies("verify-full", ca));
}

TEST_CASE("messages of libpq lose what the reader knows already") {
  CHECK(message_text("connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  database \"x\" does "
                     "not exist\n") == "database \"x\" does not exist");
  CHECK(message_text(
            "connection to server at \"db\" (10.0.0.1), port 1 failed: Connection refused\n\tIs the server "
            "running on that host and accepting TCP/IP connections?\n") == "Connection refused");
  CHECK(message_text("SSL error: certificate verify failed\n") == "SSL error: certificate verify failed");
  CHECK(message_text("gr\xFC\xDF") == "gr\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(message_text("") == "no reason given");
}
