#pragma once

#include <coroutine>
#include <memory>
#include <span>

#include "core/base/files.hpp"
#include "core/base/time.hpp"

namespace par::core {

/// Marks a time that never comes.
inline constexpr SteadyTime k_never = SteadyTime::max();

/// A non-blocking socket and, if an event loop watches it, its registration there.
struct Socket {
  FileDescriptor fd;
  std::shared_ptr<void> registration;  ///< LoopWaiter's; goes before fd is closed

  void close() {
    registration.reset();
    fd.reset();
  }
  Socket() = default;
  Socket(Socket&&) = default;
  Socket& operator=(Socket&& other) noexcept {
    close();
    fd = std::move(other.fd);
    registration = std::move(other.registration);
    return *this;
  }
  ~Socket() { close(); }
};

enum class WaitFor { readable, writable, either, wake };
enum class WaitEnd { ready, timeout, cancelled };

/// How an exchange waits: by blocking its thread (BlockingWaiter) or by suspending its coroutine until an
/// event loop resumes it (LoopWaiter). Used by one exchange at a time, which waits for one thing at a time.
class Waiter {
 public:
  using Sockets = std::span<Socket* const>;
  static constexpr size_t k_max_sockets = 8;

  virtual ~Waiter() = default;

  class [[nodiscard]] Awaiter {
   public:
    Awaiter(Waiter& waiter, WaitFor what, Socket* socket, SteadyTime until)
        : waiter_(waiter), what_(what), socket_(socket), until_(until) {}
    Awaiter(Waiter& waiter, WaitFor what, Sockets sockets, SteadyTime until)
        : waiter_(waiter), what_(what), sockets_(sockets), until_(until) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiting) {
      return waiter_.suspend(what_, socket_ ? Sockets(&socket_, 1) : sockets_, until_, waiting, end_);
    }
    WaitEnd await_resume() const noexcept { return end_; }

   private:
    Waiter& waiter_;
    WaitFor what_;
    Socket* socket_ = nullptr;
    Sockets sockets_;
    SteadyTime until_;
    WaitEnd end_ = WaitEnd::ready;
  };

  /// Waits until the socket can be read or written.
  Awaiter readable(Socket& socket, SteadyTime until) { return {*this, WaitFor::readable, &socket, until}; }
  Awaiter writable(Socket& socket, SteadyTime until) { return {*this, WaitFor::writable, &socket, until}; }
  /// Waits until any of the sockets, at most k_max_sockets, can be written. Says nothing of which one.
  Awaiter any_writable(Sockets sockets, SteadyTime until) {
    return {*this, WaitFor::writable, sockets, until};
  }
  /// Waits until the socket can be read or written, whichever comes first.
  Awaiter readable_or_writable(Socket& socket, SteadyTime until) {
    return {*this, WaitFor::either, &socket, until};
  }
  /// Waits for wake(). May end without one: look at what you wait for, and wait again.
  Awaiter woken(SteadyTime until) { return {*this, WaitFor::wake, Sockets(), until}; }

  /// Is the exchange to end? For those that never have to wait, since their peer is fast.
  virtual bool cancelled() const = 0;
  /// Ends the present or the next wait for wake(). Any thread.
  virtual void wake() = 0;

 protected:
  /// True: `waiting` will be resumed later, with `end` set before. False: the wait is over, `end` is set.
  virtual bool suspend(WaitFor what, Sockets sockets, SteadyTime until, std::coroutine_handle<> waiting,
                       WaitEnd& end) = 0;
};

}  // namespace par::core
