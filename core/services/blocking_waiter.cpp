#include "core/services/blocking_waiter.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace par::core {
namespace {

// One for each thread that ever waits; making one for each exchange would cost two system calls. A signal
// left over from an earlier exchange only makes a wait look around once more.
int event_of_thread() {
  thread_local const FileDescriptor event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw std::system_error(errno, std::generic_category(), "eventfd");
  return event.get();
}

timespec time_until(SteadyTime until) {
  const auto left = std::chrono::nanoseconds(until - std::chrono::steady_clock::now());
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::max(left, std::chrono::nanoseconds(0)));
  timespec out{};
  out.tv_sec = seconds.count();
  out.tv_nsec = std::max<decltype(left.count())>(0, (left - seconds).count());
  return out;
}

}  // namespace

void BlockingWaiter::Wake::operator()() const noexcept {
  const eventfd_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);  // fails only if already signalled
}

BlockingWaiter::BlockingWaiter(std::stop_token cancelled)
    : event_(event_of_thread()), cancelled_(std::move(cancelled)), on_cancel_(cancelled_, Wake{event_}) {}

void BlockingWaiter::wake() {
  Wake{event_}();
}

bool BlockingWaiter::suspend(WaitFor what, Sockets sockets, SteadyTime until, std::coroutine_handle<>,
                             WaitEnd& end) {
  end = wait(what, sockets, until);
  return false;
}

WaitEnd BlockingWaiter::wait(WaitFor what, Sockets sockets, SteadyTime until) const {
  std::array<pollfd, 1 + k_max_sockets> fds;
  size_t count = 0;
  fds[count++] = {event_, POLLIN, 0};
  const short events = what == WaitFor::readable   ? POLLIN
                       : what == WaitFor::writable ? POLLOUT
                                                   : POLLIN | POLLOUT;
  for (const Socket* socket : sockets) fds[count++] = {socket->fd.get(), events, 0};
  for (;;) {
    if (cancelled_.stop_requested()) return WaitEnd::cancelled;
    const timespec left = until == k_never ? timespec{} : time_until(until);
    const int ready = ppoll(fds.data(), count, until == k_never ? nullptr : &left, nullptr);
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    if (ready < 0) continue;
    if (ready == 0) return WaitEnd::timeout;
    const int woken = fds[0].revents != 0 ? 1 : 0;
    if (woken) {
      eventfd_t ignored = 0;
      [[maybe_unused]] const ssize_t drained = ::read(event_, &ignored, sizeof ignored);
      if (cancelled_.stop_requested()) return WaitEnd::cancelled;
      if (what == WaitFor::wake) return WaitEnd::ready;
    }
    if (ready > woken) return WaitEnd::ready;
  }
}

}  // namespace par::core
