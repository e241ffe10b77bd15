#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/channel/outcome.hpp"
#include "core/telemetry/redactor.hpp"
#include "core/verify/verified_task.hpp"

namespace par::core {

class Log;

/// What a plugin's manifest says of a token, as far as resolution needs it.
struct TokenRule {
  std::string name;
  bool secret = true;
};

/// A connection with its credentials read, as connection_json, and the redactor's registrations of its
/// secrets. Secret tokens (declared so, or not declared at all) are registered before anything else can see
/// them.
class ResolvedConnection {
 public:
  /// The JSON that the plugin gets: {id, auth, root_tokens, base_url, headers, url_parameters, body,
  /// testing}.
  const Secret& json() const { return json_; }

 private:
  friend class CredentialResolver;
  Secret json_;
  std::vector<Redactor::Registration> registrations_;
};

/// Reads credential files, anew for every task.
class CredentialResolver {
 public:
  CredentialResolver(std::filesystem::path config_directory, Redactor& redactor, const Log& log);

  /// Resolves the connection of a task. Failures have code 1 and name the file and the names that it does
  /// contain, never a value.
  Result<ResolvedConnection, Failure> resolve(const ConnectionInfo& info,
                                              const std::vector<TokenRule>& rules) const;

 private:
  std::filesystem::path config_directory_;
  Redactor& redactor_;
  const Log& log_;
};

}  // namespace par::core
