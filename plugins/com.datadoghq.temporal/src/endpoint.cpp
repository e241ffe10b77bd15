#include "endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <par/plugin.hpp>

#include "pem.hpp"

namespace temporal_plugin {
namespace {

constexpr uint16_t k_default_port = 7233;

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

// "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address.
void read_address(std::string_view token, std::string_view text, Endpoint& endpoint) {
  const auto refuse = [&](const std::string& problem) {
    throw par::Error("the connection's token \"" + std::string(token) + "\" is \"" + std::string(text) +
                     "\": " + problem + "; expected host or host:port, such as temporal.example.com:7233");
  };
  std::string_view host = text;
  std::string_view port;
  bool with_port = false;
  if (text.substr(0, 1) == "[") {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) refuse("the bracket is not closed");
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    with_port = rest.substr(0, 1) == ":";
    if (!rest.empty() && !with_port) refuse("there is text after the bracket");
    if (with_port) port = rest.substr(1);
  } else if (const size_t colon = text.find(':');
             colon != std::string_view::npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    with_port = true;
  }
  if (text.find("://") != std::string_view::npos) refuse("it is a URL");
  if (!is_host(host)) refuse("there is no host name in it that could be looked up");
  endpoint.host = host;
  endpoint.port = k_default_port;
  if (!with_port) return;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0)
    refuse("its port is no number from 1 to 65535");
}

std::string_view optional_token(const par::Connection& connection, std::string_view name) {
  const std::string_view* const value = connection.token(name);
  return value == nullptr ? std::string_view() : *value;
}

}  // namespace

std::string Endpoint::shown() const {
  return bracketed(host) + ":" + std::to_string(port);
}

bool fits_header(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Endpoint read_endpoint(const par::Connection& connection) {
  Endpoint endpoint;
  if (const std::string_view plain = optional_token(connection, "address"); !plain.empty()) {
    read_address("address", plain, endpoint);
    endpoint.authority = endpoint.shown();
    return endpoint;
  }
  const std::string_view address = optional_token(connection, "serverAddress");
  if (address.empty()) {
    throw par::Error(
        "the connection has neither a token \"address\" (a server without TLS) nor \"serverAddress\" "
        "(with TLS); add one of them");
  }
  read_address("serverAddress", address, endpoint);
  endpoint.authority = endpoint.shown();
  if (const std::string_view name = optional_token(connection, "serverNameOverride"); !name.empty()) {
    if (!is_host(name)) {
      throw par::Error("the connection's token \"serverNameOverride\" is \"" + std::string(name) +
                       "\"; expected the host name in the server's certificate");
    }
    endpoint.authority = name;
  }

  Endpoint::Tls tls;
  tls.roots = optional_token(connection, "serverRootCACertificate");
  if (!tls.roots.empty()) require_certificates("serverRootCACertificate", tls.roots);
  tls.certificate = optional_token(connection, "clientCertPairCrt");
  tls.key = optional_token(connection, "clientCertPairKey");
  if (tls.certificate.empty() != tls.key.empty()) {
    const bool no_key = tls.key.empty();
    throw par::Error(std::string("the connection has the token \"") +
                     (no_key ? "clientCertPairCrt" : "clientCertPairKey") + "\" without \"" +
                     (no_key ? "clientCertPairKey" : "clientCertPairCrt") + "\"; mTLS needs both");
  }
  if (!tls.key.empty()) require_key_pair(tls.certificate, tls.key);
  endpoint.tls = std::move(tls);

  endpoint.api_key = optional_token(connection, "apiKey");
  if (!fits_header(endpoint.api_key)) {
    throw par::Error(
        "the connection's token \"apiKey\" has a line break or another character that no API key has; "
        "is there a newline at its end?");
  }
  return endpoint;
}

}  // namespace temporal_plugin
