#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace par::core {

class Log;

/// Largest credential file.
inline constexpr size_t k_max_credential_file_bytes = 1 << 20;

/// The secrets of one credential file. In a token file an entry's name is the token's, in a basic file the
/// user's.
class CredentialFile {
 public:
  enum class Type { token, basic };
  struct Entry {
    std::string name;
    Secret value;
  };

  /// Reads {"auth_type": "Token Auth"|"Basic Auth", "credentials": [...]}. A token entry is {tokenName,
  /// tokenValue} or, as older Jenkins files have it, an object whose members are tokens themselves. `text` is
  /// overwritten, since it holds secrets. Errors name line and column of malformed JSON, or the member that
  /// is wrong; never a value.
  static Result<CredentialFile> parse(std::string text);

  Type type() const { return type_; }
  /// The value of the first entry of that name, or null.
  const Secret* find(std::string_view name) const;
  /// All names, for errors.
  std::vector<std::string> names() const;

 private:
  Type type_ = Type::token;
  std::vector<Entry> entries_;
};

/// Where the file that a connection names really is: the path itself (a relative one is meant from the
/// configuration's directory), or, where that does not exist, a file of the same name in the places where
/// credential files have been kept over time: the configuration's directory, its credentials/,
/// /etc/dd-action-runner and its creds/. A find elsewhere is logged. Errors: an empty path; found nowhere,
/// with the places that were tried.
Result<std::filesystem::path> locate_credential_file(const std::string& path,
                                                     const std::filesystem::path& config_directory,
                                                     const Log& log);

/// The content of a credential file that locate_credential_file() found. Errors: not readable, empty, larger
/// than 1 MiB.
Result<std::string> read_credential_file(const std::filesystem::path& file);

}  // namespace par::core
