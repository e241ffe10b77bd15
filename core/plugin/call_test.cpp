#include "core/plugin/call.hpp"

#include <limits>
#include <thread>
#include <vector>

#include <unistd.h>

#include "core/plugin/result_check.hpp"
#include "core/telemetry/log.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

std::vector<par_str> parts(const std::vector<std::string>& texts) {
  std::vector<par_str> list;
  for (const auto& text : texts) list.push_back({text.data(), text.size()});
  return list;
}

par_status check(const std::vector<std::string>& texts, uint64_t max_bytes = 1 << 20) {
  std::string problem;
  const auto list = parts(texts);
  const par_status status = check_result(list.data(), list.size(), max_bytes, problem);
  CHECK(problem.empty() == (status == PAR_OK));
  return status;
}

struct Fixture {
  Redactor redactor;
  Log log{-1, LogFormat::json, LogLevel::error, redactor};
  PublishFrame frame{"{\"o\":", "}"};
  PluginCall call{{"com.example.x", "run", "t", ""}, std::nullopt, &frame, 100, log, redactor};
  const par_call* abi = call.abi();
};

}  // namespace

TEST_CASE("a result is one JSON object in valid UTF-8, in any number of parts") {
  CHECK(check({"{}"}) == PAR_OK);
  CHECK(check({" {", "\"a", "\":\"x", "", "y\"", "} \n"}) == PAR_OK);
  CHECK(check({"{\"a\":\"\xC3", "\xA4\\u00e4\\ud83d", "\\ude00\"}"}) == PAR_OK);
  CHECK(check({"{\"n\":[1,-2.5e3,true,null,{}]}"}) == PAR_OK);
  for (const char* text : {"",
                           "[]",
                           "1",
                           "\"x\"",
                           "null",
                           "{",
                           "{}{}",
                           "{} x",
                           "{\"a\":1,}",
                           "{'a':1}",
                           "{\"a\":\"\xff\"}",
                           "{\"a\":\"\xC3\"}",
                           "{\"a\":\"\xED\xA0\x80\"}",
                           R"({"a":"\udc00"})",
                           R"({"a":"\ud800"})",
                           R"({"\udfff":1})",
                           "\xEF\xBB\xBF{}",
                           "{\"a\":NaN}",
                           "{\"a\":1e999}",
                           "{\"a\":\"\n\"}"}) {
    CAPTURE(text);
    CHECK(check({text}) == PAR_BAD_RESULT);
  }
  CHECK(check({std::string("{}\0", 3)}) == PAR_BAD_RESULT);
  CHECK(check({std::string("{}\0{\"x\":", 8)}) == PAR_BAD_RESULT);
  CHECK(check({}) == PAR_BAD_RESULT);
}

TEST_CASE("a result is bounded in size and depth") {
  CHECK(check({"{\"a\":1}"}, 7) == PAR_OK);
  CHECK(check({"{\"a\":1", "}"}, 6) == PAR_LIMIT);
  const auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += "{\"a\":";
    return text + "1" + std::string(static_cast<size_t>(levels), '}');
  };
  CHECK(check({nested(256)}) == PAR_OK);
  CHECK(check({nested(257)}) == PAR_BAD_RESULT);
  std::string problem;
  const par_str wrong[] = {{nullptr, 3}};
  CHECK(check_result(wrong, 1, 100, problem) == PAR_INVALID);
  CHECK(check_result(nullptr, 1, 100, problem) == PAR_INVALID);
  const par_str endless[] = {{"{", std::numeric_limits<size_t>::max()},
                             {"{", std::numeric_limits<size_t>::max()}};
  CHECK(check_result(endless, 2, std::numeric_limits<uint64_t>::max(), problem) == PAR_LIMIT);
}

TEST_CASE("a call's functions answer as the ABI says") {
  Fixture f;
  CHECK(f.abi->struct_size == sizeof(par_call));
  CHECK(f.abi->state(f.abi) == PAR_STATE_RUN);
  CHECK(f.abi->remaining_ms(f.abi) == INT64_MAX);
  CHECK(f.abi->max_result_bytes(f.abi) == 100);
  CHECK(f.abi->wait(f.abi, 1) == PAR_OK);
  CHECK(f.abi->wait(f.abi, -5) == PAR_OK);
  f.call.drain();
  CHECK(f.abi->state(f.abi) == PAR_STATE_DRAIN);
  CHECK(f.abi->wait(f.abi, 1) == PAR_OK);
  f.call.cancel();
  CHECK(f.abi->state(f.abi) == PAR_STATE_CANCEL);
  CHECK(f.abi->wait(f.abi, INT64_MAX) == PAR_CANCELLED);
  uint64_t id = 0;
  CHECK(f.abi->on_cancel(
            f.abi, [](void*) { FAIL("ran"); }, nullptr, &id) == PAR_CANCELLED);
  CHECK(f.abi->on_cancel(f.abi, nullptr, nullptr, &id) == PAR_INVALID);
  f.abi->off_cancel(f.abi, 17);
  const std::vector<par_str> result{{"{}", 2}};
  CHECK(f.abi->result(f.abi, result.data(), 1) == PAR_OK);
  CHECK(f.abi->result(f.abi, result.data(), 1) == PAR_INVALID);
  CHECK(f.call.finish().body == "{\"o\":{}}");
}

TEST_CASE("the last error wins and its texts pass the redactor") {
  Fixture f;
  const std::string secret = "tok-123456";
  f.abi->secret(f.abi, {reinterpret_cast<const uint8_t*>(secret.data()), secret.size()});
  f.abi->error(f.abi, {"first", 5}, {"shown", 5});
  const std::string text = "refused " + secret;
  f.abi->error(f.abi, {text.data(), text.size()}, {nullptr, 0});
  const auto report = f.call.finish();
  CHECK(report.described);
  CHECK(report.message == "refused [redacted]");
  CHECK(report.display.empty());
  CHECK_FALSE(report.body);
}

TEST_CASE("a secret at the cut of an error text does not show its beginning") {
  Redactor redactor;
  redactor.add_forever("s3cret-s3cret-s3cret");
  const std::string text = std::string(8185, 'x') + "s3cret-s3cret-s3cret" + std::string(100, 'y');
  const std::string shown = presentable(redactor, text);
  CHECK(shown.size() <= 8192);
  CHECK(shown.find("s3c") == std::string::npos);
}

TEST_CASE("remaining time is zero exactly when the limit has passed") {
  Redactor redactor;
  const Log log(-1, LogFormat::json, LogLevel::error, redactor);
  const auto now = std::chrono::steady_clock::now();
  PluginCall over({"n", "a", "t", ""}, now, nullptr, 0, log, redactor);
  CHECK(over.abi()->remaining_ms(over.abi()) == 0);
  PluginCall running({"n", "a", "t", ""}, now + std::chrono::hours(1), nullptr, 0, log, redactor);
  CHECK(running.abi()->remaining_ms(running.abi()) > 3'000'000);
  const std::vector<par_str> result{{"{}", 2}};
  CHECK(running.abi()->result(running.abi(), result.data(), 1) == PAR_INVALID);  // open takes none
  over.finish();
  running.finish();
}

TEST_CASE("cancel wakes a wait on another thread") {
  Fixture f;
  std::thread waiter([&] { CHECK(f.abi->wait(f.abi, 600'000) == PAR_CANCELLED); });
  std::this_thread::sleep_for(Milliseconds(20));
  f.call.cancel();
  waiter.join();
  f.call.finish();
}

TEST_CASE("an on_cancel function may remove itself, and off_cancel waits for one that runs") {
  Fixture f;
  struct State {
    const par_call* call;
    uint64_t self = 0;
    std::atomic<int> runs = 0;
    std::atomic<bool> slow_runs = false;
    std::atomic<bool> slow_ended = false;
    uint64_t slow = 0;
  } state{f.abi};
  REQUIRE(f.abi->on_cancel(
              f.abi,
              [](void* argument) {
                auto& s = *static_cast<State*>(argument);
                ++s.runs;
                s.call->off_cancel(s.call, s.self);
              },
              &state, &state.self) == PAR_OK);
  REQUIRE(f.abi->on_cancel(
              f.abi,
              [](void* argument) {
                auto& s = *static_cast<State*>(argument);
                s.slow_runs = true;
                std::this_thread::sleep_for(Milliseconds(100));
                s.slow_ended = true;
              },
              &state, &state.slow) == PAR_OK);
  f.call.cancel();
  while (!state.slow_runs) std::this_thread::yield();
  f.abi->off_cancel(f.abi, state.slow);
  CHECK(state.slow_ended);
  f.call.finish();
  CHECK(state.runs == 1);
}
