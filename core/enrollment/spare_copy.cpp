#include "core/enrollment/spare_copy.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/base/write_all.hpp"

namespace par::core {
namespace fs = std::filesystem;
namespace {

Result<fs::path> write_new_in(const fs::path& directory, std::string_view text) {
  std::string name = (directory / "par-runner-identity.XXXXXX").native();
  const FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));  // with mode 0600
  if (!file) return fail(fmt::format("{}: {}", directory.native(), errno_text(errno)));
  if (write_all(file.get(), text) == 0 && ::fsync(file.get()) == 0) return fs::path(name);
  const int error = errno;
  ::unlink(name.c_str());
  return fail(fmt::format("{}: {}", directory.native(), errno_text(error)));
}

}  // namespace

Result<fs::path> keep_spare_copy(std::vector<fs::path> directories, std::string_view text) {
  std::error_code none;
  directories.push_back(fs::current_path(none));
  directories.push_back(fs::temp_directory_path(none));
  std::vector<std::string> problems;
  for (const fs::path& directory : directories) {
    if (directory.empty()) continue;
    auto kept = write_new_in(directory, text);
    if (kept) return kept;
    problems.push_back(std::move(kept.error().message));
  }
  return fail(fmt::format("{}", fmt::join(problems, "; ")));
}

}  // namespace par::core
