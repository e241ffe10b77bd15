#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/channel/control_api.hpp"
#include "core/channel/timers.hpp"

// Stand-ins for the clock and for Datadog, shared by the tests of channel and dispatch.

namespace par::core::testing {

/// A clock that stands still until a test moves it; timers fire, in order, as it passes their time.
class FakeTimers : public Timers {
 public:
  SteadyTime now() const override { return now_; }

  Timer after(Milliseconds delay, std::function<void()> action) override {
    const uint64_t id = ++last_id_;
    due_.emplace(std::pair(now_ + delay, id), std::move(action));
    return std::make_unique<Entry>(*this, std::pair(now_ + delay, id));
  }

  void advance(Milliseconds by) {
    const SteadyTime end = now_ + by;
    while (!due_.empty() && due_.begin()->first.first <= end) {
      const auto first = due_.begin();
      now_ = std::max(now_, first->first.first);
      const auto action = std::move(first->second);
      due_.erase(first);
      action();
    }
    now_ = end;
  }

  size_t running() const { return due_.size(); }
  /// Until the next timer fires; a minute's worth of days if there is none.
  Milliseconds next() const {
    if (due_.empty()) return std::chrono::hours(24);
    return std::chrono::duration_cast<Milliseconds>(due_.begin()->first.first - now_);
  }

 private:
  using Key = std::pair<SteadyTime, uint64_t>;
  struct Entry : Running {
    Entry(FakeTimers& owner, Key key) : timers(owner), at(key) {}
    ~Entry() override { timers.due_.erase(at); }
    FakeTimers& timers;
    Key at;
  };

  SteadyTime now_{std::chrono::hours(1)};
  uint64_t last_id_ = 0;
  std::map<Key, std::function<void()>> due_;
};

/// Keeps each request until the test answers it.
class FakeApi : public ControlApi {
 public:
  struct Request {
    std::string body;
    Answered answered;
    bool cancelled = false;
  };

  Cancel dequeue(Answered answered) override {
    const auto request = std::make_shared<Request>(Request{{}, std::move(answered)});
    dequeues.push_back(request);
    return [weak = std::weak_ptr(request)] {
      if (const auto alive = weak.lock()) alive->cancelled = true;
    };
  }
  void publish(std::shared_ptr<const std::string> body, Answered answered) override {
    publishes.push_back(std::make_shared<Request>(Request{*body, std::move(answered)}));
  }
  void heartbeat(std::string body, Answered answered) override {
    heartbeats.push_back(std::make_shared<Request>(Request{std::move(body), std::move(answered)}));
  }
  void health_check(Answered answered) override {
    health_checks.push_back(std::make_shared<Request>(Request{{}, std::move(answered)}));
  }

  using Queue = std::deque<std::shared_ptr<Request>>;
  static void answer(Queue& queue, int status, std::string body = {},
                     std::optional<Milliseconds> retry_after = {}) {
    const auto request = queue.front();
    queue.pop_front();
    request->answered(ControlAnswer{status, retry_after, {}, std::move(body)});
  }
  static void break_off(Queue& queue) {
    const auto request = queue.front();
    queue.pop_front();
    request->answered(fail("connection reset by peer"));
  }

  Queue dequeues;
  Queue publishes;
  Queue heartbeats;
  Queue health_checks;
};

}  // namespace par::core::testing
