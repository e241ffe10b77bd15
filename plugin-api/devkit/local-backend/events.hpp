#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin-api/devkit/local-backend/server.hpp"

namespace par::backend {

/// A request of a runner and what it was told.
struct Event {
  uint64_t seq = 0;
  std::string kind;
  std::shared_ptr<const Request> request;  ///< body cut off when it is large or binary
  size_t body_bytes = 0;
  std::string body;
  int status = 0;
  std::string runner_id;  ///< who asks, as its token proves
  std::string task_id;
  std::string job_id;
  std::string note;
};

/// The newest events, in order.
class EventLog {
 public:
  void add(Event event);
  /// At most `most` events after `seq` of that kind (empty: all), oldest first.
  std::vector<const Event*> after(uint64_t seq, std::string_view kind, size_t most) const;
  uint64_t last() const { return last_; }
  void clear() { events_.clear(); }

 private:
  std::deque<Event> events_;
  uint64_t last_ = 0;
};

/// One event as JSON.
std::string event_json(const Event& event);

/// Whoever waits for something to happen: long polls of the control side, by topic.
class Waiters {
 public:
  explicit Waiters(Loop& loop) : loop_(loop) {}

  /// Calls `attempt(false)` now, at each notify(topic) until it answers true, and `attempt(true)` when the
  /// time is over; in that last call it must finish whatever the state.
  void wait(const std::string& topic, Milliseconds longest, std::function<bool(bool last)> attempt);
  void notify(const std::string& topic);

 private:
  struct Waiter {
    std::function<bool(bool)> attempt;
    bool done = false;
  };
  Loop& loop_;
  std::map<std::string, std::vector<std::shared_ptr<Waiter>>> waiting_;
};

}  // namespace par::backend
