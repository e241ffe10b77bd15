#pragma once

#include <stop_token>

#include "core/services/waiter.hpp"

namespace par::core {

/// Waits by blocking the calling thread in poll(), so a task that uses it never suspends. Lives and is used
/// on one thread, in one function call; only wake() and the stop token reach it from others.
class BlockingWaiter final : public Waiter {
 public:
  explicit BlockingWaiter(std::stop_token cancelled);
  bool cancelled() const override { return cancelled_.stop_requested(); }
  void wake() override;

 private:
  bool suspend(WaitFor what, Sockets sockets, SteadyTime until, std::coroutine_handle<> waiting,
               WaitEnd& end) override;
  WaitEnd wait(WaitFor what, Sockets sockets, SteadyTime until) const;

  struct Wake {
    int fd;
    void operator()() const noexcept;
  };

  int event_;  ///< an eventfd of this thread, shared by all its waiters in turn
  std::stop_token cancelled_;
  std::stop_callback<Wake> on_cancel_;
};

}  // namespace par::core
