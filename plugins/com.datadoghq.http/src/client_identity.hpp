#pragma once

#include <string_view>

#include <par/connection.hpp>

namespace http_plugin {

/// How a connection identifies itself in the TLS handshake, and whom it trusts: PEM texts, views of the
/// connection, empty where it has none.
struct ClientIdentity {
  std::string_view certificate;  ///< with its chain
  std::string_view key;
  std::string_view ca;  ///< replaces the runner's trusted roots

  /// From the tokens clientCertPairCrt, clientCertPairKey and serverRootCACertificate. Throws par::Error,
  /// which names the token, if one is not what it should be or the certificate comes without its key.
  static ClientIdentity of(const par::Connection& connection);
};

}  // namespace http_plugin
