#include "core/channel/poller.hpp"

#include <string>
#include <vector>

#include "core/channel/testing/fakes.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  FakeTimers timers;
  FakeApi api;
  Redactor redactor;
  Log log{-1, LogFormat::json, LogLevel::error, redactor};
  int slots = 10;
  std::vector<Poller::Arrival> arrivals;
  Poller poller{api,
                timers,
                log,
                Pacing({}, [] { return 0.5; }),
                {[this] {
                   if (slots == 0) return false;
                   --slots;
                   return true;
                 },
                 [this] { ++slots; },
                 [this](Poller::Arrival arrival, std::string) { arrivals.push_back(arrival); }, [] {}}};

  void bring_task() {
    FakeApi::answer(api.dequeues, 200, "task");
    poller.was_task(arrivals.back());
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an idle runner asks once a second, one dequeue at a time") {
  poller.wake();
  for (int i = 0; i < 5; ++i) {
    REQUIRE(api.dequeues.size() == 1);
    CHECK(slots == 9);
    FakeApi::answer(api.dequeues, 200);
    CHECK(slots == 10);
    timers.advance(999ms);
    CHECK(api.dequeues.empty());
    timers.advance(1ms);
  }
}

TEST_CASE_METHOD(Fixture, "after a task every free slot asks at once") {
  poller.wake();
  bring_task();
  CHECK(slots == 0);
  CHECK(api.dequeues.size() == 9);
  FakeApi::answer(api.dequeues, 200);
  CHECK(slots == 1);
  timers.advance(1s);
  CHECK(slots == 0);
  CHECK(api.dequeues.size() == 9);
}

TEST_CASE_METHOD(Fixture, "a slot is taken before a dequeue and nothing is asked without one") {
  slots = 0;
  poller.wake();
  CHECK(api.dequeues.empty());
  slots = 1;
  poller.wake();
  CHECK(api.dequeues.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a body that is not a task is an error") {
  poller.wake();
  FakeApi::answer(api.dequeues, 200, "{");
  CHECK(slots == 9);
  poller.was_garbage(arrivals.back(), "broken");
  CHECK(slots == 10);
  timers.advance(1s);
  REQUIRE(api.dequeues.size() == 1);
  FakeApi::answer(api.dequeues, 503);
  timers.advance(1999ms);
  CHECK(api.dequeues.empty());
  timers.advance(1ms);
  CHECK(api.dequeues.size() == 1);
}

TEST_CASE_METHOD(Fixture, "an order that comes with a task delays the other slots") {
  poller.wake();
  FakeApi::answer(api.dequeues, 200, "task", 10s);
  poller.was_task(arrivals.back());
  CHECK(api.dequeues.empty());
  timers.advance(10s);
  CHECK(api.dequeues.size() == 9);
}

TEST_CASE_METHOD(Fixture, "fifty dequeues reset at once lead to one dequeue a second later") {
  slots = 50;
  poller.wake();
  bring_task();
  REQUIRE(api.dequeues.size() == 49);
  while (!api.dequeues.empty()) FakeApi::break_off(api.dequeues);
  CHECK(slots == 49);
  timers.advance(999ms);
  CHECK(api.dequeues.empty());
  timers.advance(1ms);
  CHECK(api.dequeues.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a stop ends waits and new dequeues, not those under way") {
  poller.wake();
  bring_task();
  poller.stop();
  CHECK(timers.running() == 0);
  CHECK(poller.in_flight() == 9);
  FakeApi::answer(api.dequeues, 200, "task");
  CHECK(arrivals.size() == 2);
  poller.was_task(arrivals.back());
  CHECK(poller.in_flight() == 8);
  CHECK(api.dequeues.size() == 8);
  poller.cancel_all();
  CHECK(api.dequeues.back()->cancelled);
}
