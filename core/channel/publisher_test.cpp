#include "core/channel/publisher.hpp"

#include <string>

#include "core/channel/health_check.hpp"
#include "core/channel/heartbeat.hpp"
#include "core/channel/testing/fakes.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

const TaskAddress k_address{"task-1", "job-1", "com.example.do", 1};

struct Fixture {
  FakeTimers timers;
  FakeApi api;
  Redactor redactor;
  Log log{-1, LogFormat::json, LogLevel::error, redactor};
  Publisher publisher{api, timers, log, {4, 4096}};
  int finished = 0;

  Publisher::Item& publish(Outcome outcome) {
    REQUIRE(publisher.reserve());
    return publisher.publish(k_address, std::move(outcome), [this] { ++finished; });
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an outcome that is accepted is published once") {
  const int status = GENERATE(200, 201, 204);
  publish(Success{"{\"a\":1}"});
  REQUIRE(api.publishes.size() == 1);
  CHECK(api.publishes.front()->body == "{\"a\":1}");
  CHECK(finished == 0);
  FakeApi::answer(api.publishes, status);
  CHECK(finished == 1);
  CHECK(publisher.waiting() == 0);
  CHECK(timers.running() == 0);
}

TEST_CASE_METHOD(Fixture, "a passing failure is retried after 1 s, doubling to 30 s") {
  const int status = GENERATE(0, 401, 403, 408, 425, 429, 500, 503, 599);
  CAPTURE(status);
  publish(Failure{ErrorCode::action_error, "no", ""});
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s}) {
    REQUIRE(api.publishes.size() == 1);
    status == 0 ? FakeApi::break_off(api.publishes) : FakeApi::answer(api.publishes, status);
    timers.advance(wait - 1ms);
    CHECK(api.publishes.empty());
    timers.advance(1ms);
  }
  CHECK(finished == 0);
  FakeApi::answer(api.publishes, 200);
  CHECK(finished == 1);
}

TEST_CASE_METHOD(Fixture, "another client error or a redirect is final") {
  const int status = GENERATE(302, 400, 404, 405, 409, 422);
  publish(Success{"{}"});
  FakeApi::answer(api.publishes, status);
  CHECK(finished == 1);
  CHECK(timers.running() == 0);
}

TEST_CASE_METHOD(Fixture, "an outcome too large for Datadog is replaced by a failure with code 2") {
  publish(Success{std::string(2000, 'x')});
  FakeApi::answer(api.publishes, 413);
  REQUIRE(api.publishes.size() == 1);
  CHECK(api.publishes.front()->body.find("\"error_code\":2") != std::string::npos);
  CHECK(api.publishes.front()->body.find("\"task_id\":\"task-1\"") != std::string::npos);
  CHECK(publisher.waiting_bytes() < 2000);
  SECTION("which is published like any other") {
    FakeApi::answer(api.publishes, 200);
  }
  SECTION("and given up if that is refused too") {
    FakeApi::answer(api.publishes, 413);
  }
  CHECK(finished == 1);
  CHECK(publisher.waiting_bytes() == 0);
}

TEST_CASE_METHOD(Fixture, "once the job is gone one last attempt is made") {
  Publisher::Item& item = publish(Success{"{}"});
  SECTION("at once, when one was waiting") {
    FakeApi::answer(api.publishes, 503);
    publisher.job_is_gone(item);
    REQUIRE(api.publishes.size() == 1);
    FakeApi::answer(api.publishes, 503);
  }
  SECTION("after the one under way, if that fails") {
    publisher.job_is_gone(item);
    REQUIRE(api.publishes.size() == 1);
    FakeApi::answer(api.publishes, 503);
    REQUIRE(api.publishes.size() == 1);
    FakeApi::break_off(api.publishes);
  }
  CHECK(finished == 1);
  CHECK(timers.running() == 0);
}

TEST_CASE_METHOD(Fixture, "at stop, waiting attempts are made at once") {
  publish(Success{"{}"});
  publish(Success{"{}"});
  FakeApi::answer(api.publishes, 503);
  REQUIRE(api.publishes.size() == 1);
  publisher.hurry();
  CHECK(api.publishes.size() == 2);
}

TEST_CASE_METHOD(Fixture, "nothing is reserved beyond the bound of outcomes") {
  for (int i = 0; i < 4; ++i) REQUIRE(publisher.reserve());
  CHECK_FALSE(publisher.reserve());
  publisher.release();
  CHECK(publisher.reserve());
  publisher.publish(k_address, Success{"{}"}, [] {});
  CHECK_FALSE(publisher.reserve());
  FakeApi::answer(api.publishes, 200);
  CHECK(publisher.reserve());
}

TEST_CASE_METHOD(Fixture, "nothing is reserved beyond the bound of bytes, and no outcome is dropped") {
  publish(Success{std::string(4000, 'x')});
  CHECK_FALSE(publisher.reserve());
  FakeApi::break_off(api.publishes);
  CHECK_FALSE(publisher.reserve());
  timers.advance(1s);
  FakeApi::answer(api.publishes, 200);
  CHECK(publisher.reserve());
}

TEST_CASE_METHOD(Fixture, "a heartbeat is sent after each interval until the object goes") {
  auto heartbeat = std::make_unique<Heartbeat>(api, timers, log, 20s, k_address, [] { FAIL("gone"); });
  CHECK(api.heartbeats.empty());
  timers.advance(19'999ms);
  CHECK(api.heartbeats.empty());
  timers.advance(1ms);
  REQUIRE(api.heartbeats.size() == 1);
  CHECK(api.heartbeats.front()->body == heartbeat_body(k_address));
  FakeApi::answer(api.heartbeats, 200);
  timers.advance(20s);
  FakeApi::break_off(api.heartbeats);
  timers.advance(20s);
  FakeApi::answer(api.heartbeats, 500);
  timers.advance(20s);
  REQUIRE(api.heartbeats.size() == 1);  // and this one hangs
  timers.advance(20s);
  CHECK(api.heartbeats.size() == 2);
  heartbeat.reset();
  FakeApi::answer(api.heartbeats, 404);
  timers.advance(60s);
  CHECK(api.heartbeats.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a heartbeat answered 404 is the last") {
  int gone = 0;
  const Heartbeat heartbeat(api, timers, log, 20s, k_address, [&] { ++gone; });
  timers.advance(40s);
  FakeApi::answer(api.heartbeats, 404);
  FakeApi::answer(api.heartbeats, 404);
  CHECK(gone == 1);
  timers.advance(60s);
  CHECK(api.heartbeats.empty());
}

TEST_CASE_METHOD(Fixture, "health checks come after each interval, one at a time") {
  int succeeded = 0;
  const HealthCheck check(api, timers, log, 30s, [&] { ++succeeded; });
  timers.advance(29s);
  CHECK(api.health_checks.empty());
  timers.advance(1s);
  REQUIRE(api.health_checks.size() == 1);
  timers.advance(100s);
  REQUIRE(api.health_checks.size() == 1);
  FakeApi::answer(api.health_checks, 200);
  CHECK(succeeded == 1);
  timers.advance(30s);
  REQUIRE(api.health_checks.size() == 1);
  FakeApi::answer(api.health_checks, 500, {}, 5s);
  CHECK(succeeded == 1);
  timers.advance(5s);
  REQUIRE(api.health_checks.size() == 1);
  FakeApi::break_off(api.health_checks);
  timers.advance(30s);
  CHECK(api.health_checks.size() == 1);
}
