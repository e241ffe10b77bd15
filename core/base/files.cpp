#include "core/base/files.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/write_all.hpp"

namespace par::core {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int FileDescriptor::release() noexcept {
  return std::exchange(fd_, -1);
}

void FileDescriptor::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

Result<std::string> read_file(const std::filesystem::path& path, size_t max_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail(fmt::format("{}: {}", path.native(), errno_text(errno)));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail(fmt::format("{}: {}", path.native(), errno_text(errno)));
  if (!S_ISREG(info.st_mode)) return fail(fmt::format("{}: not a regular file", path.native()));
  const auto too_large = [&] {
    return fail(fmt::format("{}: larger than {} bytes", path.native(), max_bytes));
  };
  if (static_cast<uintmax_t>(info.st_size) > max_bytes) return too_large();
  std::string content;
  content.resize(static_cast<size_t>(info.st_size) + 1);
  size_t filled = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(fmt::format("{}: {}", path.native(), errno_text(errno)));
    if (got == 0) break;
    filled += static_cast<size_t>(got);
    if (filled > max_bytes) return too_large();
    if (filled == content.size()) content.resize(content.size() * 2);
  }
  content.resize(filled);
  return content;
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content,
                                   unsigned mode) {
  std::string temporary = path.native() + ".XXXXXX";
  FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return fail(fmt::format("{}: {}", path.native(), errno_text(errno)));
  const auto give_up = [&](const char* step) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail(fmt::format("{}: {}: {}", path.native(), step, errno_text(error)));
  };
  if (::fchmod(file.get(), mode) != 0) return give_up("setting its permissions");
  if (write_all(file.get(), content) != 0 || ::fsync(file.get()) != 0) return give_up("writing");
  file.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up("renaming");
  return {};
}

tl::expected<std::filesystem::path, int> write_unique_file(const std::filesystem::path& prefix,
                                                           std::string_view content) {
  std::string name = prefix.native() + ".XXXXXX";
  const FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return tl::unexpected(errno);
  int error = write_all(file.get(), content);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0) return std::filesystem::path(name);
  ::unlink(name.c_str());
  return tl::unexpected(error);
}

}  // namespace par::core
