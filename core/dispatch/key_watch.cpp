#include "core/dispatch/key_watch.hpp"

#include <utility>

#include "core/dispatch/health.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr Milliseconds k_patience{60'000};

}  // namespace

KeyWatch::KeyWatch(Timers& timers, const Log& log, Health& health, std::function<std::string()> cause)
    : timers_(timers), log_(log), health_(health), cause_(std::move(cause)) {}

void KeyWatch::begin() {
  began_ = timers_.now();
  refresh();
  timer_ = timers_.after(k_patience, [this] {
    late_ = true;
    log_.error(problem());
    refresh();
  });
}

void KeyWatch::update(bool usable) {
  usable_ = usable;
  if (usable && !arrived_) {
    arrived_ = true;
    late_ = false;
    timer_.reset();
    latency_ = std::chrono::duration_cast<Milliseconds>(timers_.now() - began_);
  }
  refresh();
}

void KeyWatch::refresh() {
  health_.keys(usable_ ? std::string() : problem());
}

std::string KeyWatch::problem() const {
  return (late_ ? "no signing keys after 60 s: " : "no signing keys: ") + cause_();
}

}  // namespace par::core
