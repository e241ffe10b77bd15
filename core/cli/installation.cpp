#include "core/cli/installation.hpp"

#include <system_error>

namespace par::core {

std::filesystem::path default_plugins_directory(const std::filesystem::path& executable) {
  const std::filesystem::path prefix = executable.parent_path().parent_path();
  const std::filesystem::path installed = prefix / "lib/par-runner/plugins";
  const std::filesystem::path built = prefix / "plugins";
  std::error_code ignored;
  const bool in_build_tree = !std::filesystem::is_directory(installed, ignored) &&
                             std::filesystem::is_regular_file(prefix / "CMakeCache.txt", ignored);
  return in_build_tree ? built : installed;
}

std::filesystem::path own_executable() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

}  // namespace par::core
