#pragma once

#include "core/channel/timers.hpp"

namespace boost::asio {
class io_context;
}

namespace par::core {

/// Timers of the control thread's event loop.
class AsioTimers : public Timers {
 public:
  explicit AsioTimers(boost::asio::io_context& control) : control_(control) {}
  SteadyTime now() const override { return std::chrono::steady_clock::now(); }
  Timer after(Milliseconds delay, std::function<void()> action) override;

 private:
  boost::asio::io_context& control_;
};

}  // namespace par::core
