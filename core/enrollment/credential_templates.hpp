#pragma once

#include <span>
#include <string_view>

namespace par::core {

/// A credential file for people to fill in.
struct CredentialTemplate {
  std::string_view file;  ///< its name, such as http_token.json
  std::string_view content;
};

/// The templates of config/credentials, which are built in.
std::span<const CredentialTemplate> credential_templates();

}  // namespace par::core
