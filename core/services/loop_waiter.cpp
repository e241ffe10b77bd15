#include "core/services/loop_waiter.hpp"

#include <boost/asio/post.hpp>

namespace par::core {
namespace asio = boost::asio;
namespace {

// Watches a socket that somebody else owns.
struct Registration {
  Registration(asio::io_context& loop, int fd) : descriptor(loop, fd) {}
  ~Registration() { descriptor.release(); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  asio::posix::stream_descriptor descriptor;
};

}  // namespace

bool LoopWaiter::suspend(WaitFor what, Sockets sockets, SteadyTime until, std::coroutine_handle<> waiting,
                         WaitEnd& end) {
  if (cancelled_) {
    end = WaitEnd::cancelled;
    return false;
  }
  if (what == WaitFor::wake && std::exchange(woken_, false)) {
    end = WaitEnd::ready;
    return false;
  }
  waiting_ = waiting;
  end_ = &end;
  until_ = until;
  waits_for_wake_ = what == WaitFor::wake;
  const uint64_t number = ++wait_number_;
  arm(until);
  for (Socket* socket : sockets) {
    if (!socket->registration) socket->registration = std::make_shared<Registration>(loop_, socket->fd.get());
    auto& descriptor = static_cast<Registration*>(socket->registration.get())->descriptor;
    const auto wait = [&](asio::posix::stream_descriptor::wait_type type) {
      descriptor.async_wait(type, [self = shared_from_this(), number](const boost::system::error_code&) {
        if (self->wait_number_ == number) self->finish(WaitEnd::ready);
      });
    };
    // Of two waits one is left behind, until the next one here or the end of the socket.
    if (what == WaitFor::either) descriptor.cancel();
    if (what != WaitFor::writable) wait(asio::posix::stream_descriptor::wait_read);
    if (what != WaitFor::readable) wait(asio::posix::stream_descriptor::wait_write);
  }
  return true;
}

// Most waits of an exchange have the same limit, that of the exchange, and leave the timer alone.
void LoopWaiter::arm(SteadyTime until) {
  if (until == armed_until_ && (timer_pending_ || until == k_never)) return;
  armed_until_ = until;
  const uint64_t number = ++timer_number_;
  timer_pending_ = until != k_never;
  if (!timer_pending_) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(until);
  timer_.async_wait([self = shared_from_this(), number](const boost::system::error_code& error) {
    if (error || self->timer_number_ != number) return;
    self->timer_pending_ = false;
    if (self->waiting_) self->finish(WaitEnd::timeout);
  });
}

void LoopWaiter::finish(WaitEnd end) {
  ++wait_number_;
  waits_for_wake_ = false;
  *std::exchange(end_, nullptr) = end;
  std::exchange(waiting_, {}).resume();
}

void LoopWaiter::wake() {
  asio::post(loop_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    if (self->waits_for_wake_) {
      self->finish(WaitEnd::ready);
    } else {
      self->woken_ = true;
    }
  });
}

void LoopWaiter::cancel() {
  cancelled_ = true;
  asio::post(loop_, [self = shared_from_this()] {
    if (self->waiting_) self->finish(WaitEnd::cancelled);
  });
}

void LoopWaiter::forget() {
  ++wait_number_;
  ++timer_number_;
  cancelled_ = true;
  waiting_ = {};
  waits_for_wake_ = false;
  timer_.cancel();
}

}  // namespace par::core
