#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/files.hpp"
#include "core/base/result.hpp"

namespace par::core {

/// The directory that will keep a new identity. Having one means that the identity can be stored: what could
/// keep it from being written is found before a token is spent. As long as the object lives no other process
/// enrolls there.
class IdentityDirectory {
 public:
  /// Makes the directory if it is not there, waits for another process that is enrolling in it, and proves
  /// with a file of its own that it can be written to. The error says what to do about it, down to the
  /// command line.
  static Result<IdentityDirectory> claim(const std::filesystem::path& directory);

  /// Replaces config.yaml (or the file that it is a link to) at one stroke, mode 0600.
  Result<void> store_config(std::string_view text) const;

  /// Writes into credentials/ the templates of the integrations that `actions` names, mode 0600. A file that
  /// exists is left alone. Returns the names of the files that are new; the error names what stopped it.
  Result<std::vector<std::string>> write_credential_templates(const std::vector<std::string>& actions) const;

 private:
  IdentityDirectory(std::filesystem::path path, FileDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  FileDescriptor lock_;
};

}  // namespace par::core
