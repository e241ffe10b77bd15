#pragma once

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/services/waiter.hpp"

namespace par::core {

/// Suspends the exchange until the control loop resumes it. All but wake() on the loop's thread.
class LoopWaiter final : public Waiter, public std::enable_shared_from_this<LoopWaiter> {
 public:
  explicit LoopWaiter(boost::asio::io_context& loop) : loop_(loop), timer_(loop) {}

  bool cancelled() const override { return cancelled_; }
  void wake() override;
  /// Ends the present wait, and every later one at once.
  void cancel();
  /// Nothing will be resumed any more. Call before the waiting coroutine is destroyed.
  void forget();

 private:
  bool suspend(WaitFor what, Sockets sockets, SteadyTime until, std::coroutine_handle<> waiting,
               WaitEnd& end) override;
  void arm(SteadyTime until);
  void finish(WaitEnd end);

  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  SteadyTime armed_until_ = k_never;  ///< what timer_ is set to; kept while waits have the same limit
  bool timer_pending_ = false;
  uint64_t timer_number_ = 0;
  uint64_t wait_number_ = 0;  ///< tells a late completion from one of the present wait
  std::coroutine_handle<> waiting_;
  WaitEnd* end_ = nullptr;
  SteadyTime until_ = k_never;
  bool waits_for_wake_ = false;
  bool woken_ = false;
  bool cancelled_ = false;
};

}  // namespace par::core
