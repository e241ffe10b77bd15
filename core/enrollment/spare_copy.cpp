#include "core/enrollment/spare_copy.hpp"

#include <string>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/files.hpp"

namespace par::core {
namespace fs = std::filesystem;

Result<fs::path> keep_spare_copy(std::vector<fs::path> directories, std::string_view text) {
  std::error_code none;
  directories.push_back(fs::current_path(none));
  directories.push_back(fs::temp_directory_path(none));
  std::vector<std::string> problems;
  for (const fs::path& directory : directories) {
    if (directory.empty()) continue;
    auto kept = write_unique_file(directory / "par-runner-identity", text);
    if (kept) return std::move(*kept);
    problems.push_back(fmt::format("{}: {}", directory.native(), errno_text(kept.error())));
  }
  return fail(fmt::format("{}", fmt::join(problems, "; ")));
}

}  // namespace par::core
