#include "core/plugin/library_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"

namespace par::core {

Result<FileDescriptor> open_library(const std::filesystem::path& file) {
  // O_NONBLOCK: a FIFO of that name must not stop the start.
  FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) return fail("cannot be opened: " + errno_text(errno));
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return fail("cannot be read: " + errno_text(errno));
  if (!S_ISREG(status.st_mode)) return fail("not a regular file");
  if ((status.st_mode & S_IWOTH) != 0) {
    return fail(fmt::format("everybody can write to it (mode {:04o}); take that away with chmod o-w",
                            status.st_mode & 07777));
  }
  return descriptor;
}

Result<void> check_library_directory(const std::filesystem::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0 || (status.st_mode & S_IWOTH) == 0) return {};
  return fail(fmt::format(
      "everybody can write to the plugins directory {} (mode {:04o}), so nothing is loaded from it; "
      "take that away with chmod o-w",
      directory.native(), status.st_mode & 07777));
}

Result<std::string> file_sha256(const FileDescriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail("cannot be read: " + errno_text(errno));
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return hex_encode(sha256(""));
  void* const content = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (content == MAP_FAILED) return fail("cannot be read: " + errno_text(errno));
  std::string hash = hex_encode(sha256({static_cast<const char*>(content), size}));
  ::munmap(content, size);
  return hash;
}

}  // namespace par::core
