#pragma once

#include <filesystem>
#include <string>

#include "core/base/files.hpp"
#include "core/base/result.hpp"

namespace par::core {

/// Opens a plugin's library for reading. Refused: what is no regular file, and a file that everybody on this
/// machine can write to. The error does not name the file.
Result<FileDescriptor> open_library(const std::filesystem::path& file);

/// A directory of plugins that everybody can write to is refused, since anybody could put a library there.
/// The error names it and says what to do. One that does not exist is fine.
Result<void> check_library_directory(const std::filesystem::path& directory);

/// SHA-256 of an open file, in lower-case hexadecimal.
Result<std::string> file_sha256(const FileDescriptor& file);

}  // namespace par::core
