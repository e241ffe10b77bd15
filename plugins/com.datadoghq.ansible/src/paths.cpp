#include "paths.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <par/sdk/error.hpp>
#include <unistd.h>

namespace ansible_plugin {
namespace fs = std::filesystem;
namespace {

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

PrivateDirectory::PrivateDirectory() {
  const char* const base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/par-ansible-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    throw par::Error("no temporary directory can be made as " + path_ + ": " + std::strerror(errno) +
                     "; ansible-playbook needs one that is writable (TMPDIR)");
  }
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
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
