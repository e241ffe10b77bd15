#include "core/channel/asio_timers.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace par::core {
namespace {

class AsioTimer : public Timers::Running {
 public:
  AsioTimer(boost::asio::io_context& control, Milliseconds delay, std::function<void()> action)
      : timer_(control, delay), action_(std::make_shared<std::function<void()>>(std::move(action))) {
    // An expired timer's handler may be queued already when the timer is destroyed, hence the weak pointer.
    timer_.async_wait([weak = std::weak_ptr(action_)](const boost::system::error_code& error) {
      if (error) return;
      if (const auto alive = weak.lock()) (*alive)();
    });
  }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<std::function<void()>> action_;
};

}  // namespace

Timers::Timer AsioTimers::after(Milliseconds delay, std::function<void()> action) {
  return std::make_unique<AsioTimer>(control_, delay, std::move(action));
}

}  // namespace par::core
