#pragma once

#include <filesystem>
#include <string>

namespace kubernetes {

/// What was found at a path: content, or why there is none.
struct FileContent {
  std::string text;
  std::string problem;  ///< empty if the file was read
};

/// Reads a regular file of at most 1 MiB.
FileContent read_file(const std::filesystem::path& path);

/// `text` without white space at both ends.
std::string trimmed(const std::string& text);

}  // namespace kubernetes
