#include "plugin-api/devkit/par-plugin/isolated.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/files.hpp"

namespace par::kit {
namespace {

using std::chrono::steady_clock;

// A file in memory for what the child writes: unlike a pipe it never makes it wait. Its number is none that
// the child gives to something else.
core::FileDescriptor memory_file(const char* name) {
  const core::FileDescriptor file(::memfd_create(name, MFD_CLOEXEC));
  return core::FileDescriptor(::fcntl(file.get(), F_DUPFD_CLOEXEC, k_verdict_descriptor + 1));
}

std::string content(const core::FileDescriptor& file, size_t most) {
  std::string text(most, '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return text;
}

// Only async-signal-safe calls, since the parent may have threads.
[[noreturn]] void become(char* const* arguments, int verdict, int output) {
  ::setpgid(0, 0);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::dup2(verdict, k_verdict_descriptor);
  ::close_range(k_verdict_descriptor + 1, ~0u, 0);
  ::execv("/proc/self/exe", arguments);
  ::_exit(127);
}

bool wait_for(pid_t child, int& status, steady_clock::time_point until) {
  auto pause = std::chrono::milliseconds(1);
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(20));
  }
  return true;
}

Verdict with_output(Verdict verdict, const core::FileDescriptor& output) {
  const std::string printed = content(output, 2'000);
  if (verdict.is_bad() && !printed.empty()) verdict.text += "\nprinted: " + printed;
  return verdict;
}

}  // namespace

Verdict run_isolated(const std::vector<std::string>& arguments, std::chrono::milliseconds limit) {
  const core::FileDescriptor verdict = memory_file("verdict");
  const core::FileDescriptor output = memory_file("output");
  std::vector<std::string> words{"par-plugin"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  const pid_t child = ::fork();
  if (child < 0) return failed("no process could be started: " + core::errno_text(errno));
  if (child == 0) become(pointers.data(), verdict.get(), output.get());
  int status = 0;
  const bool ended = wait_for(child, status, steady_clock::now() + limit);
  ::kill(-child, SIGKILL);
  if (!ended) {
    ::waitpid(child, &status, 0);
    return with_output(
        {Verdict::Status::timed_out, fmt::format("it did not end within {} s", limit.count() / 1000)},
        output);
  }
  if (WIFSIGNALED(status)) {
    return with_output({Verdict::Status::crashed,
                        fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))},
                       output);
  }
  const std::string text = content(verdict, 64u << 10);
  if (text.empty()) {
    return with_output(
        {Verdict::Status::crashed, fmt::format("the process was ended with code {}", WEXITSTATUS(status))},
        output);
  }
  return with_output({static_cast<Verdict::Status>(text.front() - '0'), text.substr(1)}, output);
}

void end_with(const Verdict& verdict) {
  const std::string text = std::to_string(static_cast<int>(verdict.status)) + verdict.text;
  if (::write(k_verdict_descriptor, text.data(), text.size()) < 0) ::_exit(126);
  ::_exit(0);
}

}  // namespace par::kit
