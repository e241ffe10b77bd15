#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/services/call_scope.hpp"
#include "core/services/process/process_service.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core::testing {

/// A call as the dispatcher makes it, as far as the process service looks.
class TestCall {
 public:
  explicit TestCall(std::optional<Milliseconds> limit = std::nullopt)
      : scope("com.example.test", "", stop.get_token(),
              limit ? std::optional(std::chrono::steady_clock::now() + *limit) : std::nullopt) {
    call.struct_size = sizeof call;
    call.host_data = &scope;
  }
  std::stop_source stop;
  CallScope scope;
  par_call call{};
};

inline par_bytes bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// What to run; the defaults are those of most tests.
struct Program {
  std::vector<std::string> argv;
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin"};
  std::string directory = {};
  std::string input = {};
  int64_t timeout_ms = 0;
  uint32_t overflow = PAR_OVERFLOW_KILL;
  uint64_t max_stdout = 0;
  uint64_t max_stderr = 0;
};

/// A started program and what came of it.
class Run {
 public:
  Run(const par_process& service, TestCall& call, const Program& program)
      : service_(service), call_(&call.call) {
    std::vector<par_bytes> argv, environment;
    for (const auto& text : program.argv) argv.push_back(bytes(text));
    for (const auto& text : program.environment) environment.push_back(bytes(text));
    par_process_request request{};
    request.struct_size = sizeof request;
    request.overflow = program.overflow;
    request.argv = argv.data();
    request.argc = argv.size();
    request.environment = environment.data();
    request.environment_count = environment.size();
    request.directory = bytes(program.directory);
    request.input = bytes(program.input);
    request.timeout_ms = program.timeout_ms;
    request.max_stdout_bytes = program.max_stdout;
    request.max_stderr_bytes = program.max_stderr;
    started = service_.start(call_, &request, &child);
  }
  ~Run() { release(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Reads one piece into `out` or `err`; false once read() has given its last answer, which is `status`.
  bool read_some(size_t capacity = 4096) {
    std::vector<uint8_t> buffer(capacity);
    int32_t stream = 0;
    size_t got = 0;
    status = service_.read(call_, child, &stream, buffer.data(), buffer.size(), &got);
    if (got == 0) return false;
    (stream == PAR_STDOUT ? out : err).append(reinterpret_cast<const char*>(buffer.data()), got);
    return true;
  }
  /// Reads until the end.
  par_status finish() {
    while (read_some(65536)) {
    }
    return status;
  }
  /// Reads until `out` holds `text`.
  bool read_until(const std::string& text) {
    while (out.find(text) == std::string::npos) {
      if (!read_some()) return false;
    }
    return true;
  }
  void release() {
    if (child != nullptr) service_.release(call_, child);
    child = nullptr;
  }
  std::string failure() const { return std::string(child->failure_text.ptr, child->failure_text.len); }

  par_child* child = nullptr;
  par_status started = PAR_OK;
  par_status status = PAR_OK;
  std::string out;
  std::string err;

 private:
  const par_process& service_;
  const par_call* call_;
};

/// The service with a log that nobody reads.
struct TestService {
  Redactor redactor;
  Log log{-1, LogFormat::json, LogLevel::error, redactor};
  ProcessService service{PAR_SUPERVISOR, log};
  const par_process& table = *service.table();
};

inline size_t open_descriptors() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

/// Ids of this process's children, zombies included.
inline std::string children() {
  std::string all;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    all.append(std::istreambuf_iterator<char>(file), {});
  }
  return all;
}

/// True if a process with this id lives (a zombie does not).
inline bool alive(int pid) {
  // Not a stream: a process that goes between open and read makes read fail with ESRCH, and then streams
  // throw.
  const FileDescriptor file(open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char text[512];
  const ssize_t length = file ? read(file.get(), text, sizeof text) : -1;
  const std::string_view stat(text, length > 0 ? static_cast<size_t>(length) : 0);
  const auto name_end = stat.rfind(')');
  return name_end != std::string_view::npos && stat.substr(name_end + 2, 1) != "Z";
}

/// Waits up to 10 s for a process to go.
inline bool gone(int pid) {
  for (int i = 0; i < 1000 && alive(pid); ++i) std::this_thread::sleep_for(Milliseconds(10));
  return !alive(pid);
}

/// The number after `word` in `text`.
inline int number_after(const std::string& text, const std::string& word) {
  const auto at = text.find(word);
  return at == std::string::npos ? -1 : std::stoi(text.substr(at + word.size()));
}

}  // namespace par::core::testing
