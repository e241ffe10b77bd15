#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <par/sdk/call.hpp>

namespace par {

/// A running child process. Move-only; ending it kills what is left of the child and its descendants.
class Child {
 public:
  enum class Stream : int32_t { output = PAR_STDOUT, error = PAR_STDERR };
  struct Piece {
    Stream stream = Stream::output;
    size_t size = 0;  ///< 0: both streams are at their end and the child has ended
  };

  /// Takes over a child of the host's table.
  Child(const par_call* call, const par_process* service, par_child* child) : child_(call, service, child) {}

  /// Waits for output. Throws PAR_LIMIT, PAR_DEADLINE or PAR_CANCELLED once the child is gone for
  /// that reason.
  Piece read(char* buffer, size_t capacity) {
    int32_t stream = PAR_STDOUT;
    size_t got = 0;
    const par_status status = child_.service()->read(child_.call(), child_.get(), &stream,
                                                     reinterpret_cast<uint8_t*>(buffer), capacity, &got);
    if (status != PAR_OK) detail::raise(status, child_.get()->failure_text);
    return {stream == PAR_STDERR ? Stream::error : Stream::output, got};
  }

  /// Valid once read() has said that the child has ended.
  int exit_code() const { return child_.get()->exit_code; }
  /// The signal that ended it, or 0.
  int term_signal() const { return child_.get()->term_signal; }
  uint64_t dropped_stdout() const { return child_.get()->dropped_stdout; }
  uint64_t dropped_stderr() const { return child_.get()->dropped_stderr; }
  void check(par_status status) const { child_.check(status); }

 private:
  detail::Owned<par_process, par_child, &par_process::release> child_;
};

/// What a child left behind.
struct Finished {
  int exit_code = 0;
  int term_signal = 0;
  std::string output;
  std::string error;
  uint64_t dropped_stdout = 0;
  uint64_t dropped_stderr = 0;
};

/// A program to start. All texts are copied.
class Command {
 public:
  enum class Overflow : uint32_t {
    kill = PAR_OVERFLOW_KILL,
    discard = PAR_OVERFLOW_DISCARD,
    tail = PAR_OVERFLOW_TAIL
  };

  Command(const par_call* call, const par_process* service, std::string_view program)
      : call_(call), service_(service), argv_{std::string(program)} {}

  Command& arg(std::string_view text) {
    argv_.emplace_back(text);
    return *this;
  }
  /// The child gets these variables and no others.
  Command& env(std::string_view name, std::string_view value) {
    environment_.push_back(std::string(name) + "=" + std::string(value));
    return *this;
  }
  Command& directory(std::string_view path) {
    directory_ = path;
    return *this;
  }
  Command& input(std::string_view bytes) {
    input_ = bytes;
    return *this;
  }
  Command& timeout(std::chrono::milliseconds time) {
    raw_.timeout_ms = time.count();
    return *this;
  }
  /// What happens when a stream has given its maximum, and the maxima in bytes (0: 10 MiB).
  Command& overflow(Overflow how, uint64_t max_stdout = 0, uint64_t max_stderr = 0) {
    raw_.overflow = static_cast<uint32_t>(how);
    raw_.max_stdout_bytes = max_stdout;
    raw_.max_stderr_bytes = max_stderr;
    return *this;
  }

  /// Throws PAR_SPAWN with the reason if the program cannot be started.
  Child start() const {
    const std::vector<par_bytes> argv = views(argv_);
    const std::vector<par_bytes> environment = views(environment_);
    par_process_request request = raw_;
    request.struct_size = sizeof request;
    request.argv = argv.data();
    request.argc = argv.size();
    request.environment = environment.data();
    request.environment_count = environment.size();
    request.directory = to_bytes(directory_);
    request.input = to_bytes(input_);
    par_child* made = nullptr;
    const par_status status = service_->start(call_, &request, &made);
    Child child(call_, service_, made);
    child.check(status);
    return child;
  }

  /// Starts it and collects all output.
  Finished run() const {
    Child child = start();
    Finished finished;
    std::vector<char> buffer(64 * 1024);
    for (;;) {
      const Child::Piece piece = child.read(buffer.data(), buffer.size());
      if (piece.size == 0) break;
      (piece.stream == Child::Stream::error ? finished.error : finished.output)
          .append(buffer.data(), piece.size);
    }
    finished.exit_code = child.exit_code();
    finished.term_signal = child.term_signal();
    finished.dropped_stdout = child.dropped_stdout();
    finished.dropped_stderr = child.dropped_stderr();
    return finished;
  }

 private:
  static std::vector<par_bytes> views(const std::vector<std::string>& texts) {
    std::vector<par_bytes> result;
    result.reserve(texts.size());
    for (const std::string& text : texts) result.push_back(to_bytes(text));
    return result;
  }

  const par_call* call_;
  const par_process* service_;
  par_process_request raw_{};
  std::vector<std::string> argv_;
  std::vector<std::string> environment_;
  std::string directory_;
  std::string input_;
};

/// The service "par.process/1" for one call.
class Process {
 public:
  Process(const par_call* call, const par_process* service) : call_(call), service_(service) {}

  /// `program`: a path, or a name that is looked up in the PATH of the child's environment. No shell
  /// is involved.
  Command command(std::string_view program) const { return Command(call_, service_, program); }

 private:
  const par_call* call_;
  const par_process* service_;
};

inline Process Call::process() const {
  return Process(call_, need(services_.process, PAR_PROCESS_SERVICE));
}

}  // namespace par
