#include "core/dispatch/dispatcher.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "core/channel/testing/fakes.hpp"
#include "core/dispatch/stop_sequence.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/metrics.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

// What was posted to the control thread, which is the test's own.
class ControlQueue {
 public:
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    arrived_.notify_one();
  }
  // Runs what is posted until `done`; gives up after a time that only a hang needs.
  template <typename Done>
  bool run_until(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    std::unique_lock lock(mutex_);
    while (!done()) {
      if (!arrived_.wait_until(lock, deadline, [this] { return !work_.empty(); })) return false;
      const auto work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> work_;
};

// Runs each invocation until the test ends it. The input text says what it does: "ok", "fail", or "wait" for
// the test.
class FakeInvoker : public Invoker {
 public:
  struct Running : Call {
    Running(FakeInvoker& invoker, Invocation what, Done on_done)
        : owner(invoker), invocation(std::move(what)), done(std::move(on_done)) {}

    void run() override {
      std::unique_lock lock(owner.mutex);
      owner.entered.insert(invocation.task_id);
      owner.changed.notify_all();
      if (invocation.inputs_json == "wait" || invocation.inputs_json == "deaf") {
        owner.changed.wait(lock, [this] { return over || owner.release_all; });
      }
      if (std::exchange(told, true)) return;
      lock.unlock();
      if (invocation.inputs_json == "fail") {
        done(Failure{ErrorCode::action_error, "the secret hunter2 is wrong", ""}, false);
      } else if (cancelled) {
        done(Failure{ErrorCode::internal_error, reason, ""}, false);
      } else {
        done(Success{invocation.frame.prefix + "{}" + invocation.frame.suffix}, false);
      }
    }
    void drain() override { drained = true; }
    void cancel(std::string why) override {
      const std::lock_guard lock(owner.mutex);
      if (invocation.inputs_json == "deaf") return;
      reason = std::move(why);
      cancelled = true;
      over = true;
      owner.changed.notify_all();
    }
    // As the watchdog does when the grace is over.
    void give_up() {
      {
        const std::lock_guard lock(owner.mutex);
        told = true;
        ++owner.lost;
      }
      done(Failure{ErrorCode::internal_error, "given up", ""}, true);
    }

    FakeInvoker& owner;
    Invocation invocation;
    Done done;
    bool over = false;
    bool told = false;
    std::atomic<bool> cancelled{false};
    std::atomic<bool> drained{false};
    std::string reason;
  };

  std::shared_ptr<Call> prepare(Invocation invocation, Done done) override {
    const std::lock_guard lock(mutex);
    const std::string id = invocation.task_id;
    calls[id] = std::make_shared<Running>(*this, std::move(invocation), std::move(done));
    return calls[id];
  }
  size_t abandoned() const override { return lost; }

  void wait_for(const std::string& id) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 20s, [&] { return entered.contains(id); }));
  }
  void finish(const std::string& id) {
    wait_for(id);
    const std::lock_guard lock(mutex);
    calls.at(id)->over = true;
    changed.notify_all();
  }

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::shared_ptr<Running>> calls;
  std::set<std::string> entered;
  std::atomic<size_t> lost{0};
  bool release_all = false;
};

struct Fixture {
  explicit Fixture(size_t pool_size = 2) {
    redactor.add_forever("hunter2");
    Dispatcher::Hooks hooks;
    hooks.post = [this](std::function<void()> work) { control.post(std::move(work)); };
    hooks.prepare = [](RawTask&& raw) -> Prepared {
      // The action's name says what becomes of the task.
      const std::string what = raw.address.action_fqn.substr(raw.address.action_fqn.rfind('.') + 1);
      if (what == "forbidden") return Failure{ErrorCode::action_error, "not allowed", ""};
      if (what == "duplicate") return Duplicate{};
      if (what == "broken") throw std::runtime_error("bad day");
      Invocation invocation;
      invocation.task_id = raw.address.task_id;
      invocation.inputs_json = what;
      invocation.frame = success_frame(raw.address);
      return invocation;
    };
    hooks.random = [] { return 0.5; };
    hooks.control_succeeded = [](Milliseconds) {};
    hooks.task_received = [this] { ++received; };
    hooks.too_many_abandoned = [this] { ++too_many; };
    hooks.idle = [this] {
      ++idles;
      if (stop) stop->idle();
    };
    Dispatcher::Settings settings;
    settings.pool_size = pool_size;
    dispatcher = std::make_unique<Dispatcher>(settings, api, timers, invoker, log, redactor, metrics,
                                              std::move(hooks));
    stop = std::make_unique<StopSequence>(*dispatcher, timers, log, 25s, [this] { left = true; });
    dispatcher->start();
  }
  ~Fixture() {
    {
      const std::lock_guard lock(invoker.mutex);
      invoker.release_all = true;
      invoker.changed.notify_all();
    }
    dispatcher.reset();
  }

  void bring(const std::string& id, const std::string& action, const std::string& more = "") {
    REQUIRE_FALSE(api.dequeues.empty());
    FakeApi::answer(api.dequeues, 200,
                    R"({"data":{"id":")" + id + R"(","attributes":{"bundle_id":"com.example","name":")" +
                        action + R"(","job_id":"job-)" + id + "\"" + more + "}}}");
  }
  bool await_publishes(size_t count) {
    return control.run_until([&] { return api.publishes.size() >= count; });
  }

  ControlQueue control;
  FakeTimers timers;
  FakeApi api;
  FakeInvoker invoker;
  Redactor redactor;
  Log log{-1, LogFormat::json, LogLevel::info, redactor};
  Metrics metrics{{true, {}, {}}};
  int received = 0;
  int too_many = 0;
  int idles = 0;
  bool left = false;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<StopSequence> stop;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a task runs and its result is published once") {
  Fixture f;
  f.bring("t1", "ok");
  CHECK(f.received == 1);
  REQUIRE(f.await_publishes(1));
  CHECK(contains(f.api.publishes.front()->body, "succeed_task"));
  CHECK(contains(f.api.publishes.front()->body, "\"job_id\":\"job-t1\""));
  FakeApi::answer(f.api.publishes, 200);
  CHECK(f.dispatcher->running() == 0);
}

TEST_CASE("a refused task is published as a failure and never reaches the invoker") {
  Fixture f;
  f.bring("t1", "forbidden");
  REQUIRE(f.await_publishes(1));
  CHECK(contains(f.api.publishes.front()->body, "\"error_code\":2,\"error_details\":\"not allowed\""));
  CHECK(f.invoker.calls.empty());
}

TEST_CASE("an exception on the way to the plugin is a failure with code 1") {
  Fixture f;
  f.bring("t1", "broken");
  REQUIRE(f.await_publishes(1));
  CHECK(contains(f.api.publishes.front()->body, "\"error_code\":1"));
  CHECK(contains(f.api.publishes.front()->body, "bad day"));
}

TEST_CASE("registered secrets do not leave in error texts") {
  Fixture f;
  f.bring("t1", "fail");
  REQUIRE(f.await_publishes(1));
  CHECK(contains(f.api.publishes.front()->body, "the secret [redacted] is wrong"));
  CHECK_FALSE(contains(f.api.publishes.front()->body, "hunter2"));
}

TEST_CASE("a duplicate is neither run nor published, and its slot is free again") {
  Fixture f(1);
  f.bring("t1", "duplicate");
  CHECK(f.api.dequeues.empty());
  REQUIRE(f.control.run_until([&] { return !f.api.dequeues.empty(); }));
  CHECK(f.api.publishes.empty());
  CHECK(f.timers.running() == 0);
}

TEST_CASE("a task without attributes or job id is dropped, and its slot is free again") {
  Fixture f(1);
  FakeApi::answer(f.api.dequeues, 200, R"({"data":{"id":"t1"}})");
  CHECK(f.api.dequeues.size() == 1);
  FakeApi::answer(f.api.dequeues, 200, R"({"data":{"id":"t1","attributes":{"name":"a","bundle_id":"b"}}})");
  CHECK(f.api.dequeues.size() == 1);
  CHECK(f.api.publishes.empty());
}

TEST_CASE("every slot can hold a task, and a slot is free as soon as its action has ended") {
  Fixture f(2);
  f.bring("t1", "wait");
  f.bring("t2", "wait");
  CHECK(f.api.dequeues.empty());
  f.invoker.wait_for("t1");
  f.invoker.wait_for("t2");
  f.invoker.finish("t1");
  REQUIRE(f.await_publishes(1));
  // Not yet published, but a new task may come.
  CHECK(f.api.dequeues.size() == 1);
  f.invoker.finish("t2");
  REQUIRE(f.await_publishes(2));
}

TEST_CASE("nothing is taken while too many outcomes wait to be published") {
  Fixture f(1);
  f.bring("t1", "ok");
  REQUIRE(f.await_publishes(1));
  f.bring("t2", "ok");
  REQUIRE(f.await_publishes(2));
  CHECK(f.api.dequeues.empty());
  FakeApi::answer(f.api.publishes, 200);
  CHECK(f.api.dequeues.size() == 1);
}

TEST_CASE("heartbeats run until the outcome is published") {
  Fixture f;
  f.bring("t1", "wait");
  f.timers.advance(20s);
  REQUIRE(f.api.heartbeats.size() == 1);
  f.invoker.finish("t1");
  REQUIRE(f.await_publishes(1));
  FakeApi::answer(f.api.publishes, 503);
  f.timers.advance(20s);
  CHECK(f.api.heartbeats.size() == 2);
  FakeApi::answer(f.api.publishes, 200);
  f.timers.advance(60s);
  CHECK(f.api.heartbeats.size() == 2);
}

TEST_CASE("after a heartbeat's 404 the action goes on and is published once") {
  Fixture f;
  f.bring("t1", "wait");
  f.timers.advance(20s);
  FakeApi::answer(f.api.heartbeats, 404);
  f.timers.advance(60s);
  CHECK(f.api.heartbeats.empty());
  f.invoker.wait_for("t1");
  f.invoker.finish("t1");
  REQUIRE(f.await_publishes(1));
  FakeApi::answer(f.api.publishes, 503);
  f.timers.advance(60s);
  CHECK(f.api.publishes.size() <= 1);
}

TEST_CASE("a large answer is parsed elsewhere and counts as a task only then") {
  Fixture f(2);
  f.bring("t1", "ok", ",\"inputs\":{\"text\":\"" + std::string(100'000, 'x') + "\"}");
  CHECK(f.received == 0);
  CHECK(f.api.dequeues.empty());
  REQUIRE(f.await_publishes(1));
  CHECK(f.received == 1);
  SECTION("and large garbage is an error") {
    while (!f.api.dequeues.empty()) FakeApi::answer(f.api.dequeues, 200, std::string(100'000, '['));
    CHECK(f.control.run_until([&] { return f.timers.next() == 1s; }));
  }
}

TEST_CASE("a call that is given up is failed, and another thread takes its slot") {
  Fixture f(1);
  f.bring("t1", "deaf");
  f.invoker.wait_for("t1");
  f.invoker.calls.at("t1")->give_up();
  REQUIRE(f.await_publishes(1));
  CHECK(contains(f.api.publishes.front()->body, "given up"));
  f.bring("t2", "ok");
  REQUIRE(f.await_publishes(2));
  CHECK(f.too_many == 0);
  FakeApi::answer(f.api.publishes, 200);
  FakeApi::answer(f.api.publishes, 200);
  SECTION("more of them than the pool's size are too many") {
    f.bring("t3", "deaf");
    f.invoker.wait_for("t3");
    f.invoker.calls.at("t3")->give_up();
    REQUIRE(f.await_publishes(1));
    CHECK(f.too_many == 1);
  }
}

TEST_CASE("a stop without tasks ends at once") {
  Fixture f;
  REQUIRE(f.api.dequeues.size() == 1);
  FakeApi::answer(f.api.dequeues, 200);
  f.stop->begin();
  CHECK_FALSE(f.left);
  f.timers.advance(0ms);
  CHECK(f.left);
}

TEST_CASE("a dequeue under way at a stop is awaited for 2 s, and a task that it brings is failed") {
  Fixture f;
  f.stop->begin();
  f.timers.advance(1s);
  CHECK_FALSE(f.left);
  SECTION("a task") {
    f.bring("t1", "ok");
    REQUIRE(f.api.publishes.size() == 1);
    CHECK(contains(f.api.publishes.front()->body, "\"error_code\":1"));
    CHECK(contains(f.api.publishes.front()->body, "was not started"));
    f.timers.advance(1s);
    CHECK_FALSE(f.left);
    FakeApi::answer(f.api.publishes, 200);
  }
  SECTION("nothing") {
    f.timers.advance(999ms);
    CHECK_FALSE(f.api.dequeues.front()->cancelled);
    f.timers.advance(1ms);
    CHECK(f.api.dequeues.front()->cancelled);
    FakeApi::break_off(f.api.dequeues);
  }
  f.timers.advance(0ms);
  CHECK(f.left);
}

TEST_CASE("a stop lets a running action end and be published") {
  Fixture f;
  f.bring("t1", "wait");
  f.invoker.wait_for("t1");
  f.stop->begin();
  while (!f.api.dequeues.empty()) FakeApi::break_off(f.api.dequeues);
  f.timers.advance(20s);
  CHECK(f.invoker.calls.at("t1")->drained);
  CHECK(f.api.heartbeats.size() == 1);
  f.invoker.finish("t1");
  REQUIRE(f.await_publishes(1));
  f.timers.advance(1s);
  CHECK_FALSE(f.left);
  FakeApi::answer(f.api.publishes, 200);
  f.timers.advance(0ms);
  CHECK(f.left);
}

TEST_CASE("at the drain timeout actions are cancelled, 2 s later failed, and 2 s later the runner leaves") {
  Fixture f;
  f.bring("t1", "wait");
  f.bring("t2", "deaf");
  f.invoker.wait_for("t1");
  f.invoker.wait_for("t2");
  f.stop->begin();
  f.timers.advance(24'999ms);
  CHECK(f.api.publishes.empty());
  f.timers.advance(1ms);
  REQUIRE(f.await_publishes(1));
  CHECK(contains(f.api.publishes.front()->body, "did not end within 25 s"));
  FakeApi::answer(f.api.publishes, 200);
  f.timers.advance(1'999ms);
  CHECK(f.api.publishes.empty());
  f.timers.advance(1ms);
  REQUIRE(f.api.publishes.size() == 1);
  CHECK(contains(f.api.publishes.front()->body, "\"error_code\":1"));
  CHECK(contains(f.api.publishes.front()->body, "took effect is unknown"));
  SECTION("as soon as that is published") {
    FakeApi::answer(f.api.publishes, 200);
    f.timers.advance(0ms);
  }
  SECTION("or though it is not") {
    f.timers.advance(1'999ms);
    CHECK_FALSE(f.left);
    f.timers.advance(1ms);
  }
  CHECK(f.left);
}
