#include "paths.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <par/sdk/error.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ansible_plugin {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view k_prefix = "par-ansible-";

std::string base_directory() {
  const char* const base = std::getenv("TMPDIR");
  return base != nullptr && *base != '\0' ? base : "/tmp";
}

int open_lock(const std::string& directory, int flags) {
  return ::open((directory + "/lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

fs::path resolved(const fs::path& path, const std::string& what) {
  std::error_code error;
  fs::path result = fs::canonical(path, error);
  if (error) throw par::Error(what + ": " + error.message());
  return result;
}

}  // namespace

fs::path path_below(const std::string& directory, const std::string& relative, std::string_view input) {
  const std::string what = std::string(input) + " \"" + relative + "\"";
  const fs::path root = resolved(directory, "the directory playbookDir of the connection, " + directory);
  if (relative.find('\0') != std::string::npos || fs::path(relative).is_absolute())
    throw par::Error(what + " is no path relative to playbookDir (" + root.native() + ")");
  const fs::path path = resolved(root / relative, what + " below playbookDir (" + root.native() + ")");
  const auto [end_of_root, ignored] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  if (end_of_root != root.end() || path == root)
    throw par::Error(what + " leads out of playbookDir (" + root.native() + "), perhaps through a link");
  return path;
}

PrivateDirectory::PrivateDirectory() : path_(base_directory() + "/" + std::string(k_prefix) + "XXXXXX") {
  const bool made = mkdtemp(path_.data()) != nullptr;
  if (made) lock_ = open_lock(path_, O_CREAT | O_EXCL);
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  if (lock_ >= 0) ::close(lock_);
  std::error_code ignored;
  if (made) fs::remove_all(path_, ignored);
  throw par::Error("no temporary directory can be made as " + path_ + ": " + std::strerror(error) +
                   "; ansible-playbook needs one that is writable (TMPDIR)");
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(lock_);
}

void remove_left_directories() {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(base_directory(), ignored)) {
    struct stat about {};
    const std::string path = entry.path().native();
    if (!entry.path().filename().native().starts_with(k_prefix) || ::lstat(path.c_str(), &about) != 0 ||
        !S_ISDIR(about.st_mode) || about.st_uid != ::geteuid()) {
      continue;
    }
    const int lock = open_lock(path, 0);
    if (lock < 0) continue;
    if (::flock(lock, LOCK_EX | LOCK_NB) == 0) fs::remove_all(path, ignored);
    ::close(lock);
  }
}

std::string PrivateDirectory::write(const std::string& name, std::string_view contents) const {
  const std::string file = path_ + "/" + name;
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  while (fd >= 0 && !contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0 && errno != EINTR) break;
    if (written > 0) contents.remove_prefix(static_cast<size_t>(written));
  }
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (fd < 0 || !contents.empty()) throw par::Error("cannot write " + file + ": " + std::strerror(error));
  return file;
}

}  // namespace ansible_plugin
