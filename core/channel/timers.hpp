#pragma once

#include <functional>
#include <memory>

#include "core/base/time.hpp"

namespace par::core {

/// The clock and the timers of the control thread; tests put a clock of their own behind it.
class Timers {
 public:
  /// A running timer. Destroying it before it fires makes sure that it never does. Control thread only.
  class Running {
   public:
    virtual ~Running() = default;
  };
  using Timer = std::unique_ptr<Running>;

  virtual ~Timers() = default;
  virtual SteadyTime now() const = 0;
  /// Runs `action` once on the control thread, `delay` from now, never from inside this function. The action
  /// may destroy or replace its own timer.
  [[nodiscard]] virtual Timer after(Milliseconds delay, std::function<void()> action) = 0;
};

}  // namespace par::core
