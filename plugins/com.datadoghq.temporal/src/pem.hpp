#pragma once

#include <string_view>

namespace temporal_plugin {

/// Checks what a TLS library would refuse late and without saying what is wrong. Each throws par::Error,
/// which names the token and never quotes its value.

/// At least one certificate, and nothing that looks like one and is broken.
void require_certificates(std::string_view token, std::string_view pem);
/// A certificate chain and the unencrypted private key that belongs to its first certificate.
void require_key_pair(std::string_view certificate_pem, std::string_view key_pem);

}  // namespace temporal_plugin
