#include "files.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kubernetes {
namespace {

constexpr off_t k_largest = 1 << 20;

std::string read_all(int descriptor, std::string& text) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return "not a regular file";
  if (status.st_size > k_largest) return "larger than 1 MiB";
  text.resize(static_cast<size_t>(status.st_size));
  size_t used = 0;
  while (used < text.size()) {
    const ssize_t got = ::read(descriptor, text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::strerror(errno);
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  text.resize(used);
  return {};
}

}  // namespace

FileContent read_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return {{}, std::strerror(errno)};
  FileContent content;
  content.problem = read_all(descriptor, content.text);
  ::close(descriptor);
  return content;
}

std::string trimmed(const std::string& text) {
  constexpr const char* k_space = " \t\r\n";
  const size_t first = text.find_first_not_of(k_space);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(k_space) - first + 1);
}

}  // namespace kubernetes
