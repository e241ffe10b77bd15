#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace par::core {

/// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept;
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// The whole content of a regular file (links are followed), at most `max_bytes`. The error names the path
/// and what is wrong with it: not there, not readable by this user, a directory, too large.
Result<std::string> read_file(const std::filesystem::path& path, size_t max_bytes);

/// Writes `content` to a temporary file beside `path`, syncs it and renames it over `path`, so a reader sees
/// the old or the new content and never a part. `mode` is the file's permission bits.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content,
                                   unsigned mode);

/// Writes and syncs a new file `prefix`.XXXXXX of mode 0600, under a name that nothing had. Its path, or an
/// errno value; then nothing is left of it.
tl::expected<std::filesystem::path, int> write_unique_file(const std::filesystem::path& prefix,
                                                           std::string_view content);

/// Text of an errno value.
std::string errno_text(int error);

}  // namespace par::core
