#include "core/dispatch/worker_pool.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "core/dispatch/health.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace std::chrono_literals;

namespace {

template <typename Done>
bool eventually(Done done) {
  for (int i = 0; i < 2000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

}  // namespace

TEST_CASE("a pool has no thread before the first job and none after a while without work") {
  WorkerPool pool(3, 20ms);
  CHECK(pool.threads() == 0);
  std::promise<void> ran;
  REQUIRE(pool.submit([&] { ran.set_value(); }));
  ran.get_future().wait();
  CHECK(eventually([&] { return pool.threads() == 0; }));
}

TEST_CASE("jobs run side by side up to the limit and wait beyond it") {
  WorkerPool pool(2);
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> started{0};
  for (int i = 0; i < 3; ++i) {
    REQUIRE(pool.submit([&, released] {
      ++started;
      released.wait();
    }));
  }
  CHECK(eventually([&] { return started == 2; }));
  CHECK(pool.threads() == 2);
  CHECK(pool.busy() == 2);
  SECTION("a higher limit lets them run") {
    pool.set_limit(3);
    CHECK(eventually([&] { return started == 3; }));
  }
  release.set_value();
  CHECK(eventually([&] { return started == 3 && pool.busy() == 0; }));
  pool.set_limit(1);
  CHECK(eventually([&] { return pool.threads() <= 1; }));
}

TEST_CASE("an idle thread is used again") {
  WorkerPool pool(8);
  for (int i = 0; i < 50; ++i) {
    std::promise<void> ran;
    REQUIRE(pool.submit([&] { ran.set_value(); }));
    ran.get_future().wait();
    REQUIRE(eventually([&] { return pool.busy() == 0; }));
  }
  CHECK(pool.threads() <= 2);
}

TEST_CASE("the destructor runs what was submitted") {
  std::atomic<int> ran{0};
  {
    WorkerPool pool(2);
    for (int i = 0; i < 100; ++i) REQUIRE(pool.submit([&] { ++ran; }));
  }
  CHECK(ran == 100);
}

TEST_CASE("a runner is alive while its control thread ticks") {
  SteadyTime now{1h};
  Health health([&] { return now; });
  CHECK(health.liveness().ok);
  now += 60s;
  CHECK(health.liveness().ok);
  now += 1s;
  CHECK_FALSE(health.liveness().ok);
  CHECK_FALSE(health.liveness().reasons.empty());
  health.tick();
  CHECK(health.liveness().ok);
}

TEST_CASE("a runner is ready with keys and a recent call to Datadog, and while it does not drain") {
  SteadyTime now{1h};
  Health health([&] { return now; });
  CHECK(health.readiness().reasons.size() == 2);
  health.keys("");
  CHECK(health.readiness().reasons.size() == 1);
  health.control_succeeded(0ms);
  CHECK(health.readiness().ok);
  now += 2min;
  CHECK(health.readiness().ok);
  now += 1s;
  CHECK_FALSE(health.readiness().ok);
  SECTION("an ordered wait extends the time") {
    health.control_succeeded(2min);
    now += 4min;
    CHECK(health.readiness().ok);
    now += 1s;
    CHECK_FALSE(health.readiness().ok);
  }
  SECTION("lost keys end it") {
    health.control_succeeded(0ms);
    health.keys("all keys have expired");
    CHECK(health.readiness().reasons == std::vector<std::string>{"all keys have expired"});
  }
  SECTION("and so does a drain") {
    health.control_succeeded(0ms);
    health.draining("the runner stops");
    CHECK_FALSE(health.readiness().ok);
  }
}
