#include "core/cli/hardening.hpp"

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace par::core {
namespace {

// libpq has no switch for PGSERVICE (files and LDAP servers that it then asks), PGTZ and their like.
void remove_variables(std::string_view prefix) {
  std::vector<std::string> names;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable(*at);
    if (variable.starts_with(prefix)) names.emplace_back(variable.substr(0, variable.find('=')));
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
}

// A file that is opened later must not become standard output because that was closed. What takes its place
// cannot be written to either, so that writing to it is still seen to fail.
void occupy_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDONLY);  // becomes the lowest free one: fd
  }
}

}  // namespace

void harden_process() {
  occupy_standard_descriptors();
  // Neither can fail in a way that anyone could do something about.
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  remove_variables("PG");
}

}  // namespace par::core
