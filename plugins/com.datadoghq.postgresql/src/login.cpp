#include "login.hpp"

#include <charconv>
#include <string_view>

#include <par/sdk/error.hpp>

#include "statement.hpp"

namespace postgresql_plugin {
namespace {

constexpr std::string_view k_required[] = {"host", "port", "user", "password", "database", "sslmode"};

std::string token(const par::Connection& connection, std::string_view name) {
  const std::string_view* const value = connection.token(name);
  if (value == nullptr) return {};
  refuse_nul(*value, "the token \"" + std::string(name) + "\"");
  return std::string(*value);
}

void require_all(const par::Connection& connection) {
  std::string missing;
  for (const std::string_view name : k_required) {
    const std::string_view* const value = connection.token(name);
    if (value != nullptr && !value->empty()) continue;
    missing.append(missing.empty() ? "\"" : ", \"").append(name).append("\"");
  }
  if (missing.empty()) return;
  throw par::Error("the connection lacks the tokens " + missing +
                   "; a PostgreSQL connection needs host, port, user, password, database and sslmode");
}

uint16_t port_of(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    throw par::Error("the token \"port\" is \"" + std::string(text) +
                     "\"; expected a number from 1 to 65535");
  }
  return port;
}

}  // namespace

Login::Login(const par::Connection& connection) {
  require_all(connection);
  host = token(connection, "host");
  port = port_of(token(connection, "port"));
  user = token(connection, "user");
  password = token(connection, "password");
  database = token(connection, "database");
  sslmode = token(connection, "sslmode");
  application_name = token(connection, "applicationName");
  if (application_name.empty()) application_name = "par-runner";
  search_path = token(connection, "searchPath");
  root_certificate = token(connection, "sslrootcert");

  if (host.find_first_of("/@,") != std::string::npos) {
    throw par::Error(
        "the token \"host\" is \"" + host +
        "\"; expected one host name or address (socket directories and lists are not supported)");
  }
  if (sslmode != "disable" && sslmode != "require" && sslmode != "verify-ca" && sslmode != "verify-full") {
    throw par::Error("the token \"sslmode\" is \"" + sslmode +
                     "\"; expected require or disable, or verify-ca or verify-full");
  }
  if (!root_certificate.empty() &&
      root_certificate.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    throw par::Error(
        "the token \"sslrootcert\" holds no certificate; expected PEM text with -----BEGIN CERTIFICATE-----");
  }
}

bool Login::verifies() const {
  return sslmode != "disable" && (sslmode != "require" || !root_certificate.empty());
}

}  // namespace postgresql_plugin
