#include "plugin-api/devkit/par-plugin/process_state.hpp"

#include <clocale>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

namespace par::kit {
namespace {

uint64_t size_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

std::string environment() {
  std::string text;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    text += std::string(*entry) + "\n";
  return text;
}

}  // namespace

ProcessState ProcessState::now() {
  namespace fs = std::filesystem;
  ProcessState state;
  std::fflush(nullptr);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", ignored)) {
    const auto target = fs::read_symlink(entry.path(), ignored);
    if (ignored || target.native().find("/proc/") == 0) continue;  // the directory that is being read
    state.descriptors.emplace(entry.path().filename().string(), target.string());
  }
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task", ignored))
    ++state.threads;
  for (int number = 1; number < SIGRTMIN; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    state.signals[number] =
        fmt::format("{} {:x}", fmt::ptr(reinterpret_cast<void*>(action.sa_handler)), action.sa_flags);
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  state.surroundings = fmt::format("{}directory {}\nmask {:o}\nlocale {}", environment(),
                                   fs::current_path(ignored).string(), mask, std::setlocale(LC_ALL, nullptr));
  state.written = size_of(STDOUT_FILENO) + size_of(STDERR_FILENO);
  return state;
}

std::string added_descriptors(const ProcessState& before, const ProcessState& after) {
  std::string text;
  for (const auto& [number, target] : after.descriptors) {
    if (before.descriptors.count(number) == 0)
      text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", number, target);
  }
  return text;
}

std::string changed_surroundings(const ProcessState& before, const ProcessState& after) {
  if (before.surroundings != after.surroundings) {
    return "the environment, working directory, file mask or locale of the process changed";
  }
  for (const auto& [number, disposition] : after.signals) {
    const auto old = before.signals.find(number);
    if (old == before.signals.end() || old->second != disposition) {
      return fmt::format("the disposition of signal {} changed", number);
    }
  }
  return "";
}

}  // namespace par::kit
