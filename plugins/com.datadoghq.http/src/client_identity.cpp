#include "client_identity.hpp"

#include <string>
#include <utility>

namespace http_plugin {
namespace {

constexpr std::string_view k_certificate = "clientCertPairCrt";
constexpr std::string_view k_key = "clientCertPairKey";
constexpr std::string_view k_ca = "serverRootCACertificate";

// The token's PEM text, empty if there is no such token. What the blocks hold is judged by the host.
std::string_view pem(const par::Connection& connection, std::string_view name, const std::string& label) {
  const std::string_view* const text = connection.token(name);
  if (text == nullptr || text->empty()) return {};
  const auto has = [text](std::string_view part) { return text->find(part) != std::string_view::npos; };
  if (has("-----BEGIN ") && has(label + "-----") && has("\n")) return *text;
  throw par::Error("token \"" + std::string(name) + "\" is not PEM text; expected lines from -----BEGIN " +
                   label + "----- on, with each line end written as \\n in the credential file");
}

}  // namespace

ClientIdentity ClientIdentity::of(const par::Connection& connection) {
  ClientIdentity identity;
  identity.certificate = pem(connection, k_certificate, "CERTIFICATE");
  identity.key = pem(connection, k_key, "PRIVATE KEY");
  identity.ca = pem(connection, k_ca, "CERTIFICATE");
  if (identity.certificate.empty() != identity.key.empty()) {
    const auto [there, missing] =
        identity.key.empty() ? std::pair(k_certificate, k_key) : std::pair(k_key, k_certificate);
    throw par::Error("the connection has the token \"" + std::string(there) + "\" but not \"" +
                     std::string(missing) + "\"; a client certificate needs both");
  }
  return identity;
}

}  // namespace http_plugin
