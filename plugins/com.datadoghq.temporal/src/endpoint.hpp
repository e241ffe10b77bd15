#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <par/connection.hpp>

namespace temporal_plugin {

/// Where a connection leads and how it is secured. Every text is fit for gRPC, which ends the process on some
/// that are not.
struct Endpoint {
  struct Tls {
    std::string roots;        ///< PEM; empty: those that the runner trusts
    std::string certificate;  ///< PEM; empty: no client certificate
    std::string key;
  };

  std::string host;  ///< without brackets
  uint16_t port = 0;
  std::string authority;  ///< what the server is called in the request and in its certificate
  std::optional<Tls> tls;
  std::string api_key;

  /// "host:port", for texts.
  std::string shown() const;
};

/// Reads and checks the tokens of a connection. Throws par::Error, which names the token.
Endpoint read_endpoint(const par::Connection& connection);

/// True if gRPC takes the text as the value of a header: ASCII without control characters.
bool fits_header(std::string_view text);

}  // namespace temporal_plugin
