#pragma once

#include <cstdint>
#include <string>

#include <par/connection.hpp>

namespace postgresql_plugin {

/// Where and as whom to connect, from the tokens of a connection.
struct Login {
  std::string host;  ///< name or address
  uint16_t port = 0;
  std::string user;
  std::string password;
  std::string database;
  std::string sslmode;           ///< disable, require, verify-ca or verify-full
  std::string application_name;  ///< par-runner unless the connection has another
  std::string search_path;       ///< empty: the server's
  std::string root_certificate;  ///< PEM; empty: the runner's trusted roots, where they are needed

  /// Throws par::Error that names every token that is missing, or the first that is wrong.
  explicit Login(const par::Connection& connection);

  /// Whether a server certificate is verified.
  bool verifies() const;
};

}  // namespace postgresql_plugin
