#include "core/services/process/child.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace par::core {
namespace {

constexpr uint64_t k_default_most = uint64_t{10} << 20;
/// A tail is kept in the runner's memory, so its size cannot be the plugin's alone to choose.
constexpr uint64_t k_most_tail = uint64_t{64} << 20;
constexpr int k_release_wait_ms = 2 * PAR_SUPERVISOR_REPORT_MS;

std::mutex late_mutex;
std::vector<pid_t>& late_supervisors() {
  static auto* list = new std::vector<pid_t>;
  return *list;
}

uint64_t most_bytes(uint64_t asked, uint32_t overflow) {
  const uint64_t most = asked == 0 ? k_default_most : asked;
  return overflow == PAR_OVERFLOW_TAIL ? std::min(most, k_most_tail) : most;
}

std::string explain(const par_supervisor_event& event, std::string_view program, std::string_view directory) {
  const std::string name = '"' + std::string(program) + '"';
  switch (event.stage) {
    case PAR_STAGE_DIRECTORY:
      return "cannot work in directory \"" + std::string(directory) + "\": " + errno_text(event.error);
    case PAR_STAGE_NO_PATH:
      return "cannot start " + name +
             ": the environment given to it has no PATH; give the whole path of the program";
    case PAR_STAGE_LOOKUP:
      return "cannot start " + name + ": no directory of the PATH given to it has such a program";
    case PAR_STAGE_INTERPRETER:
      return "cannot start " + name + ": the interpreter that its first line names does not exist";
    case PAR_STAGE_SYSTEM:
      return "cannot start " + name + ": the supervisor failed: " + errno_text(event.error);
    default:
      break;
  }
  if (event.error == EISDIR) return "cannot start " + name + ": it is a directory";
  if (event.error == EACCES) return "cannot start " + name + ": this user may not execute it";
  if (event.error == ENOEXEC)
    return "cannot start " + name + ": it is neither a program of this machine nor has a \"#!\" line";
  return "cannot start " + name + ": " + errno_text(event.error);
}

}  // namespace

void OutputStream::overflow(const char* bytes, size_t count) {
  if (overflow_ != PAR_OVERFLOW_TAIL) {
    dropped_ += count;
    return;
  }
  if (count > most_) {
    const size_t skipped = count - static_cast<size_t>(most_);
    dropped_ += skipped;
    bytes += skipped;
    count -= skipped;
  }
  if (ring_.size() < most_) {
    const size_t fits = std::min(count, static_cast<size_t>(most_) - ring_.size());
    ring_.append(bytes, fits);
    bytes += fits;
    count -= fits;
  }
  dropped_ += count;
  while (count > 0) {
    const size_t piece = std::min(count, ring_.size() - oldest_);
    std::memcpy(ring_.data() + oldest_, bytes, piece);
    oldest_ = (oldest_ + piece) % ring_.size();
    bytes += piece;
    count -= piece;
  }
}

size_t OutputStream::take_kept(uint8_t* buffer, size_t capacity) {
  if (taken_ == ring_.size()) return 0;
  const size_t start = (oldest_ + taken_) % ring_.size();
  const size_t count = std::min({capacity, ring_.size() - taken_, ring_.size() - start});
  std::memcpy(buffer, ring_.data() + start, count);
  taken_ += count;
  return count;
}

Child::Child(SpawnFailure failure_of_spawn)
    : par_child{}, streams_{OutputStream(PAR_OVERFLOW_DISCARD, 0), OutputStream(PAR_OVERFLOW_DISCARD, 0)} {
  struct_size = sizeof(par_child);
  fail(failure_of_spawn.status, std::move(failure_of_spawn.message));
}

Child::Child(Spawned spawned, const par_process_request& request, std::stop_token cancelled)
    : par_child{},
      supervisor_(spawned.supervisor),
      control_(std::move(spawned.control)),
      pipes_{std::move(spawned.standard_output), std::move(spawned.standard_error)},
      overflow_(request.overflow),
      streams_{OutputStream(request.overflow, most_bytes(request.max_stdout_bytes, request.overflow)),
               OutputStream(request.overflow, most_bytes(request.max_stderr_bytes, request.overflow))} {
  struct_size = sizeof(par_child);
  on_cancel_.emplace(std::move(cancelled), [this] { command(PAR_COMMAND_CANCEL); });
}

Child::~Child() {
  on_cancel_.reset();
  if (supervisor_ >= 0 && !ended_ && !lost_) {
    command(PAR_COMMAND_KILL);
    pollfd polled{control_.get(), POLLIN, 0};
    while (!ended_ && !lost_ && poll(&polled, 1, k_release_wait_ms) > 0) ended_ = receive();
  }
  control_.reset();
  reap();
}

void Child::command(char what) noexcept {
  // A supervisor that is gone already needs no command; MSG_NOSIGNAL keeps that harmless.
  (void)send(control_.get(), &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// The next event, or nothing if it is not the last one; sets lost_ at the end of the socket.
std::optional<par_supervisor_event> Child::receive() {
  par_supervisor_event event{};
  const ssize_t length = recv(control_.get(), &event, sizeof event, 0);
  if (length < 0 && errno == EINTR) return std::nullopt;
  if (length != static_cast<ssize_t>(sizeof event)) {
    lost_ = true;
    return std::nullopt;
  }
  return event;
}

par_status Child::fail(par_status status, std::string text) {
  text_ = std::move(text);
  failure = status;
  failure_text = {text_.data(), text_.size()};
  answer_ = status;
  return status;
}

par_status Child::wait_started(std::string_view program, std::string_view directory) {
  std::optional<par_supervisor_event> event;
  while (!event && !lost_) event = receive();
  if (lost_) return fail(PAR_SPAWN, "the supervisor ended before the program was started");
  if (event->what == PAR_EVENT_STARTED) return PAR_OK;
  ended_ = event;
  return fail(PAR_SPAWN, explain(*event, program, directory));
}

/// Reads what is there. Nothing: try again later; 0: nothing to deliver (a piece was dropped or kept, or the
/// pipe is at its end and closed now).
std::optional<size_t> Child::read_pipe(FileDescriptor& pipe, OutputStream& stream, uint8_t* buffer,
                                       size_t capacity) {
  const bool deliver = overflow_ != PAR_OVERFLOW_TAIL && stream.room() > 0;
  char spare[16384];
  char* const target = deliver ? reinterpret_cast<char*>(buffer) : spare;
  const size_t most =
      deliver ? static_cast<size_t>(std::min<uint64_t>(capacity, stream.room())) : sizeof spare;
  const ssize_t length = ::read(pipe.get(), target, most);
  if (length < 0) {
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    pipe.reset();
    return 0;
  }
  if (length == 0) {
    pipe.reset();
    return 0;
  }
  const auto count = static_cast<size_t>(length);
  if (deliver) {
    stream.delivered(count);
    return count;
  }
  stream.overflow(spare, count);
  if (overflow_ == PAR_OVERFLOW_KILL && !over_limit_) {
    over_limit_ = true;
    command(PAR_COMMAND_KILL);
  }
  return 0;
}

par_status Child::finish() {
  dropped_stdout = streams_[0].dropped();
  dropped_stderr = streams_[1].dropped();
  if (!ended_)
    return fail(PAR_INTERNAL,
                "the supervisor of the program was killed, so how the program ended is unknown");
  exit_code = ended_->exit_code;
  term_signal = ended_->signal;
  if (over_limit_) return fail(PAR_LIMIT, "the program wrote more than the limit and was ended");
  switch (ended_->cause) {
    case PAR_ENDED_CANCEL:
      return fail(PAR_CANCELLED, "the program was ended since the call was cancelled");
    case PAR_ENDED_TIMEOUT:
      return fail(PAR_DEADLINE, "the program was ended at its time limit");
    default:
      answer_ = PAR_OK;
      return PAR_OK;
  }
}

par_status Child::read(int32_t& stream, uint8_t* buffer, size_t capacity, size_t& got) {
  got = 0;
  stream = PAR_STDOUT;
  if (capacity == 0) return PAR_INVALID;
  while (!answer_) {
    pollfd polled[3];
    for (size_t i = 0; i < 2; ++i) polled[i] = {pipes_[i].get(), POLLIN, 0};  // a closed one is -1: ignored
    const bool over = ended_ || lost_;
    polled[2] = {over ? -1 : control_.get(), POLLIN, 0};
    // Once everything has ended the pipes hold all that will ever come, even if somebody else still has them
    // open.
    const int ready = poll(polled, 3, over ? 0 : -1);
    if (ready < 0 && errno != EINTR) return fail(PAR_INTERNAL, "poll: " + errno_text(errno));
    if (over && ready == 0) {
      finish();
      break;
    }
    for (size_t turn = 0; turn < 2 && ready > 0; ++turn) {
      const size_t i = (next_ + turn) % 2;
      if (polled[i].revents == 0) continue;
      const auto count = read_pipe(pipes_[i], streams_[i], buffer, capacity);
      if (count && *count > 0) {
        next_ = 1 - i;
        stream = i == 0 ? PAR_STDOUT : PAR_STDERR;
        got = *count;
        return PAR_OK;
      }
    }
    if (ready > 0 && polled[2].revents != 0) ended_ = receive();
  }
  for (size_t i = 0; i < 2; ++i) {
    got = streams_[i].take_kept(buffer, capacity);
    if (got > 0) {
      stream = i == 0 ? PAR_STDOUT : PAR_STDERR;
      return PAR_OK;
    }
  }
  return *answer_;
}

void Child::reap() noexcept {
  if (supervisor_ < 0) return;
  // A supervisor that reported survivors goes on trying; it must not hold up the caller.
  const bool busy = lost_ ? false : !ended_ || ended_->survivors != 0;
  pid_t reaped;
  do {
    reaped = waitpid(supervisor_, nullptr, busy ? WNOHANG : 0);
  } while (reaped < 0 && errno == EINTR);
  if (reaped == 0) {
    const std::lock_guard lock(late_mutex);
    late_supervisors().push_back(supervisor_);
  }
  supervisor_ = -1;
}

void reap_late_supervisors() noexcept {
  const std::lock_guard lock(late_mutex);
  std::erase_if(late_supervisors(), [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; });
}

}  // namespace par::core
