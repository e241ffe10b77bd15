#include "core/services/process/spawn.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <span>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/secret.hpp"
#include "core/base/write_all.hpp"
#include "core/services/process/supervisor/protocol.h"

namespace par::core {
namespace {

using Unexpected = tl::unexpected<SpawnFailure>;

Unexpected refuse(std::string message) {
  return Unexpected({PAR_INVALID, std::move(message), false});
}

Unexpected system_failure(const std::string& what, int error) {
  return Unexpected({PAR_SPAWN, what + ": " + errno_text(error), true});
}

std::string_view view(par_bytes bytes) {
  return bytes.len == 0 ? std::string_view()
                        : std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}

/// Texts as exec wants them: NUL-terminated in one block, which is wiped since it may hold passwords.
class ExecTexts {
 public:
  explicit ExecTexts(size_t bytes) { block_.reserve(bytes); }
  ~ExecTexts() { wipe(block_.data(), block_.size()); }
  ExecTexts(const ExecTexts&) = delete;
  ExecTexts& operator=(const ExecTexts&) = delete;

  void add(std::string_view text) {
    offsets_.push_back(block_.size());
    block_.append(text).push_back('\0');
  }
  /// The null-terminated array; valid until the next add().
  char** pointers() {
    pointers_.clear();
    for (const size_t offset : offsets_) pointers_.push_back(block_.data() + offset);
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

 private:
  std::string block_;
  std::vector<size_t> offsets_;
  std::vector<char*> pointers_;
};

tl::expected<void, SpawnFailure> check(const par_process_request& request) {
  if (request.argc == 0 || view(request.argv[0]).empty()) return refuse("argv must name a program");
  for (const auto& argument : std::span(request.argv, request.argc)) {
    if (view(argument).find('\0') != std::string_view::npos) return refuse("an argument holds a NUL byte");
  }
  if (request.environment_count > 0) {
    for (const auto& entry : std::span(request.environment, request.environment_count)) {
      const auto text = view(entry);
      if (text.find('\0') != std::string_view::npos) return refuse("an environment entry holds a NUL byte");
      const auto equals = text.find('=');
      if (equals == 0 || equals == std::string_view::npos)
        return refuse("an environment entry is not NAME=value");
    }
  }
  if (view(request.directory).find('\0') != std::string_view::npos)
    return refuse("the directory holds a NUL byte");
  if (request.overflow > PAR_OVERFLOW_TAIL) return refuse("unknown overflow policy");
  if (request.timeout_ms < -1) return refuse("timeout_ms is below -1");
  return {};
}

size_t total_bytes(const par_bytes* texts, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += texts[i].len + 1;
  return total;
}

/// Moves a descriptor above those that the supervisor gets by number, so that no dup2 below can overwrite
/// another.
FileDescriptor out_of_the_way(FileDescriptor fd) {
  if (!fd || fd.get() > PAR_SUPERVISOR_CONTROL_FD) return fd;
  return FileDescriptor(fcntl(fd.get(), F_DUPFD_CLOEXEC, PAR_SUPERVISOR_CONTROL_FD + 1));
}

struct Pair {
  FileDescriptor ours;
  FileDescriptor theirs;
};

tl::expected<Pair, SpawnFailure> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_failure("cannot make a pipe", errno);
  Pair pair{FileDescriptor(ends[0]), out_of_the_way(FileDescriptor(ends[1]))};
  if (!pair.theirs || fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK) != 0) {
    return system_failure("cannot make a pipe", errno);
  }
  return pair;
}

tl::expected<Pair, SpawnFailure> make_control() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return system_failure("cannot make a socket pair", errno);
  }
  Pair pair{FileDescriptor(ends[0]), out_of_the_way(FileDescriptor(ends[1]))};
  if (!pair.theirs) return system_failure("cannot make a socket pair", errno);
  return pair;
}

/// Standard input as a sealed file in memory: no writer has to wait for a slow child, and the request's
/// memory is free again when start() returns.
tl::expected<FileDescriptor, SpawnFailure> make_input(std::string_view input) {
  if (input.empty()) {
    auto null = out_of_the_way(FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)));
    if (!null) return system_failure("cannot open /dev/null", errno);
    return null;
  }
  auto file = out_of_the_way(FileDescriptor(memfd_create("standard-input", MFD_CLOEXEC | MFD_ALLOW_SEALING)));
  if (!file) return system_failure("cannot keep standard input in memory", errno);
  if (const int error = write_all(file.get(), input); error != 0)
    return system_failure("cannot keep standard input in memory", error);
  if (lseek(file.get(), 0, SEEK_SET) != 0 ||
      fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return system_failure("cannot keep standard input in memory", errno);
  }
  return file;
}

/// What posix_spawn does in the new process, before exec.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes, &set);
    sigfillset(&set);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setflags(
        &attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

tl::expected<Spawned, SpawnFailure> spawn_supervisor(const std::string& supervisor,
                                                     const par_process_request& request, int64_t timeout_ms) {
  if (auto good = check(request); !good) return tl::unexpected(std::move(good.error()));
  auto input = make_input(view(request.input));
  if (!input) return tl::unexpected(std::move(input.error()));
  auto output = make_pipe();
  if (!output) return tl::unexpected(std::move(output.error()));
  auto error = make_pipe();
  if (!error) return tl::unexpected(std::move(error.error()));
  auto control = make_control();
  if (!control) return tl::unexpected(std::move(control.error()));

  const std::string timeout = std::to_string(timeout_ms);
  const std::string_view directory = request.directory.len == 0 ? "/" : view(request.directory);
  ExecTexts argv(supervisor.size() + timeout.size() + directory.size() + 3 +
                 total_bytes(request.argv, request.argc));
  argv.add(supervisor);
  argv.add(timeout);
  argv.add(directory);
  for (size_t i = 0; i < request.argc; ++i) argv.add(view(request.argv[i]));
  ExecTexts environment(total_bytes(request.environment, request.environment_count));
  for (size_t i = 0; i < request.environment_count; ++i) environment.add(view(request.environment[i]));

  SpawnPlan plan;
  const int given[] = {input->get(), output->theirs.get(), error->theirs.get(), control->theirs.get()};
  int result = 0;
  for (int number = 0; number <= PAR_SUPERVISOR_CONTROL_FD && result == 0; ++number) {
    result = posix_spawn_file_actions_adddup2(&plan.actions, given[number], number);
  }
  if (result == 0)
    result = posix_spawn_file_actions_addclosefrom_np(&plan.actions, PAR_SUPERVISOR_CONTROL_FD + 1);
  pid_t pid = -1;
  if (result == 0) {
    result = posix_spawn(&pid, supervisor.c_str(), &plan.actions, &plan.attributes, argv.pointers(),
                         environment.pointers());
  }
  if (result == E2BIG) {
    return Unexpected(
        {PAR_SPAWN, "arguments and environment together are larger than the system allows", false});
  }
  if (result != 0) return system_failure("cannot start " + supervisor, result);
  return Spawned{pid, std::move(control->ours), std::move(output->ours), std::move(error->ours)};
}

}  // namespace par::core
