#include "core/cli/result_output.hpp"

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/base/write_all.hpp"
#include "core/enrollment/directory.hpp"

namespace par::core {
namespace fs = std::filesystem;
namespace {

// More than an identity takes in any format.
constexpr off_t k_room = 64 << 10;
constexpr int k_most_links = 40;
constexpr std::string_view k_advice =
    "The identity would be lost, so nothing was sent to Datadog. Redirect standard output to a file, or use "
    "-o "
    "FILE";

tl::unexpected<Error> unusable(std::string_view what) {
  return fail(fmt::format("standard output {}. {}", what, k_advice));
}

tl::unexpected<Error> refused(const fs::path& path, std::string_view what) {
  return fail(fmt::format("-o {}: {}. Nothing was sent to Datadog", path.native(), what));
}

// Is there room behind the end of a regular file? Reserving it sees quotas too; not every file system can.
bool has_room(int fd, const struct stat& info) {
  if (::fallocate(fd, FALLOC_FL_KEEP_SIZE, info.st_size, k_room) == 0) return true;
  if (errno == ENOSPC || errno == EDQUOT) return false;
  struct statvfs system {};
  if (::fstatvfs(fd, &system) != 0 || system.f_blocks == 0) return true;
  const auto blocks = ::geteuid() == 0 ? system.f_bfree : system.f_bavail;
  return blocks * system.f_frsize >= static_cast<unsigned long>(k_room);
}

bool has_reader(int fd) {
  pollfd look{fd, POLLOUT, 0};
  return ::poll(&look, 1, 0) < 0 || (look.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

// Does `path`, or a link that it leads over, stand for a descriptor of this process?
bool names_descriptor(fs::path path) {
  std::error_code error;
  const fs::path descriptors = fs::canonical("/proc/self/fd", error);
  if (error) return path == "/dev/stdout" || path == "/dev/stderr";
  for (int links = 0; links < k_most_links; ++links) {
    if (fs::weakly_canonical(path.parent_path(), error) == descriptors) return true;
    const fs::path target = fs::read_symlink(path, error);
    if (error) return false;
    path = path.parent_path() / target;
  }
  return false;
}

// Renaming over such a file fails, since something is mounted on it.
bool is_mounted(const fs::path& path) {
  struct statx info {};
  return ::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE, &info) == 0 &&
         (info.stx_attributes & info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<void> write_synced(int fd, std::string_view text) {
  if (const int error = write_all(fd, text); error != 0) return fail("standard output: " + errno_text(error));
  if (::fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
    return fail("standard output: " + errno_text(errno));
  return {};
}

}  // namespace

Result<ResultOutput> ResultOutput::to_descriptor(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return unusable("is closed or cannot be written to");
  struct stat info {};
  if (::fstat(fd, &info) != 0) return unusable("cannot be used: " + errno_text(errno));
  if (S_ISREG(info.st_mode)) {
    if (!has_room(fd, info)) return unusable("goes to a file where no room is left");
  } else if (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3)) {
    return unusable("goes to /dev/null");
  } else if (!has_reader(fd)) {
    return unusable("has no reader any more");
  }
  ResultOutput output;
  output.fd_ = fd;
  return output;
}

Result<ResultOutput> ResultOutput::to_file(const fs::path& path) {
  const fs::path given = fs::absolute(path);
  if (names_descriptor(given))
    return refused(path,
                   "this is what is written to without -o; leave it out, and redirect with > if wanted");
  std::error_code error;
  const auto status = fs::status(given, error);
  if (error && status.type() != fs::file_type::not_found) {
    return refused(path, error.message());
  }
  if (status.type() == fs::file_type::directory || given.filename().empty())
    return refused(path, "this is a directory; expected the name of a file, such as one in it");
  if (status.type() == fs::file_type::fifo)
    return refused(path, fmt::format("this is a named pipe; leave -o out and use > {}", path.native()));
  if (fs::exists(status) && !fs::is_regular_file(status))
    return refused(path, "this is a device or socket; expected a new file or a regular one");
  ResultOutput output;
  output.file_ = fs::weakly_canonical(given, error);
  // A link to what is not there yet stays a link as well.
  if (!error && fs::is_symlink(fs::symlink_status(output.file_, error)))
    return refused(path, "this link leads to a file that is not there; name that file itself");
  if (error && error != std::errc::no_such_file_or_directory) return refused(path, error.message());
  if (is_mounted(output.file_)) {
    return refused(path,
                   "this file is mounted by itself and cannot be replaced; mount its directory instead, or "
                   "leave -o out");
  }
  if (auto directory = IdentityDirectory::claim(output.file_.parent_path()); !directory)
    return tl::unexpected(directory.error());
  return output;
}

Result<void> ResultOutput::write(const Secret& text) const {
  if (file_.empty()) return write_synced(fd_, text.reveal());
  return write_file_atomically(file_, text.reveal(), 0600);
}

}  // namespace par::core
