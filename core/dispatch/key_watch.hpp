#pragma once

#include <functional>
#include <string>

#include "core/base/time.hpp"
#include "core/channel/timers.hpp"

namespace par::core {

class Health;
class Log;

/// Watches whether signing keys arrive. A runner without keys asks for no tasks, and the cause is mostly a
/// setting elsewhere, so after a minute the log says what it may be, and readiness as long as it lasts. Has
/// one timer until keys arrive, and none later. Control thread only.
class KeyWatch {
 public:
  /// `cause` says why there are no keys. Everything must outlive the watch.
  KeyWatch(Timers& timers, const Log& log, Health& health, std::function<std::string()> cause);

  /// Begins to wait for the first keys.
  void begin();
  /// A new set of keys is in use, which may be empty.
  void update(bool usable);
  /// Tells readiness the cause anew, if there are no keys.
  void refresh();

  /// Have there ever been keys?
  bool arrived() const { return arrived_; }
  /// How long after begin() the first ones came.
  Milliseconds latency() const { return latency_; }

 private:
  std::string problem() const;

  Timers& timers_;
  const Log& log_;
  Health& health_;
  std::function<std::string()> cause_;
  Timers::Timer timer_;
  SteadyTime began_;
  Milliseconds latency_{0};
  bool usable_ = false;
  bool arrived_ = false;
  bool late_ = false;
};

}  // namespace par::core
