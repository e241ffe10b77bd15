#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "tests/abi/harness.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using par::core::testing::Host;
using par::core::testing::Running;

namespace {

constexpr const char* k_namespace = "com.example.misbehaving";

std::string misbehave(Host& host, const char* action) {
  return host.run(k_namespace, action);
}

void wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(Milliseconds(5));
  CHECK(condition());
}

Invocation limited(const char* action, Milliseconds limit) {
  Invocation invocation = Host::invocation(k_namespace, action);
  invocation.time_limit = limit;
  return invocation;
}

}  // namespace

TEST_CASE("a good plugin gets everything and its result is framed") {
  Host host("echo", Host::patient(), {{"com.example.echo", R"({"greeting":"hi"})"}});
  Invocation invocation = Host::invocation("com.example.echo", "echo");
  invocation.inputs_json = R"({"text":"ü"})";
  invocation.connection_json = Secret(R"({"id":"c"})");
  const std::string answer = host.start(std::move(invocation)).text();
  CHECK(
      answer ==
      R"(<{"task_id":"task-1","inputs":{"text":"ü"},"connection":{"id":"c"},"settings":{"greeting":"hi"}}>)");
}

TEST_CASE("each breach of the contract has its own outcome, and the plugin goes on") {
  struct Row {
    const char* action;
    const char* outcome;
    const char* logged;  ///< or empty
  };
  const Row rows[] = {
      {"ok", "<{}>", ""},
      {"no_result", "1: the plugin reported success without a result",
       "plugin misbehaviour: execute reported success without an accepted result"},
      {"two_results", R"(<{"result":1}>)", "plugin misbehaviour: a second result"},
      {"invalid_json", "1: the plugin reported success without a result",
       "plugin misbehaviour: refused result: not one JSON object in UTF-8: "},
      {"lone_surrogate", "1: the plugin reported success without a result",
       "plugin misbehaviour: refused result: lone surrogate in a string"},
      {"second_attempt", "<{}>", "plugin misbehaviour: refused result"},
      {"huge", "2: the answer is too large", ""},
      {"result_and_error", "2: failed after all", ""},
      {"throws", "1: the plugin threw an exception: out of cheese",
       "plugin misbehaviour: the plugin threw an exception: out of cheese"},
      {"throws_an_int", "1: the plugin threw an exception",
       "plugin misbehaviour: the plugin threw an exception"},
      {"fails", "2: status 503 from db1 | the database is down", ""},
      {"fails_silently", "2: the plugin gave no reason (status 1)",
       "plugin misbehaviour: execute failed without calling error()"},
      {"fails_by_policy", "2: host is not allowed", ""},
      {"internal", "1: table overflow", ""},
      {"unknown_status", "1: the plugin reported a defect of its own (status 99)", ""},
      {"secret_error", "2: login with [redacted] was refused", ""},
      {"leaves_on_cancel", "<{}>",
       "plugin misbehaviour: 1 on_cancel function(s) were still registered at return"},
      {"unlisted_service", R"(<{"kept":true}>)", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.action);
    Host host("misbehaving");
    CHECK(misbehave(host, row.action) == row.outcome);
    CHECK(host.logged(row.logged));
    CHECK(host.logged("misbehaviour") == (*row.logged != '\0'));
    CHECK(misbehave(host, "ok") == "<{}>");
  }
}

TEST_CASE("an error text is cut to 8 KiB of valid UTF-8") {
  Host host("misbehaving");
  const std::string text = misbehave(host, "long_error");
  CHECK(text.size() > 8000);
  CHECK(text.size() <= 8192 + 3);
  CHECK(text.find("\xEF\xBF\xBD") != std::string::npos);
  CHECK(text.find('\xC3') == std::string::npos);
}

TEST_CASE("a plugin that obeys its deadline fails with the limit and its own text") {
  Host host("misbehaving");
  Invocation invocation = limited("sleeps_in_wait", Milliseconds(50));
  invocation.writes = false;
  auto reply = host.start(std::move(invocation)).reply();
  CHECK(reply.text() == "1: time limit of 0.05 s exceeded: interrupted; job 17 goes on");
  CHECK_FALSE(reply.given_up);
  reply = host.start(limited("sleeps_in_wait", Milliseconds(50))).reply();
  CHECK(reply.text() ==
        "1: time limit of 0.05 s exceeded: interrupted; job 17 goes on; whether it took effect is unknown");
}

TEST_CASE("a failure at the very moment of the deadline is told as the limit") {
  Host host("misbehaving");
  for (int i = 0; i < 20; ++i) {
    CHECK(host.start(limited("fails_at_deadline", Milliseconds(3))).text() ==
          "1: time limit of 0.003 s exceeded: no answer; whether it took effect is unknown");
  }
}

TEST_CASE("a success after the deadline is a success while the call is not given up") {
  Host host("misbehaving");
  CHECK(host.start(limited("late_success", Milliseconds(20))).text() == R"(<{"remaining":0}>)");
}

TEST_CASE("on_cancel functions run again until they have their effect") {
  Host host("misbehaving");
  CHECK(host.start(limited("interrupted_library", Milliseconds(20))).text() ==
        "1: time limit of 0.02 s exceeded: interrupted by on_cancel; whether it took effect is unknown");
  CHECK_FALSE(host.logged("misbehaviour"));
}

TEST_CASE("a cancel's reason is told, and only the first one") {
  Host host("misbehaving");
  Running running = host.start(k_namespace, "sleeps_in_wait");
  wait_until([&] { return host.logged("waiting"); });
  running.call().cancel("the runner was stopped");
  running.call().cancel("something else");
  CHECK(running.text() ==
        "1: the runner was stopped: interrupted; job 17 goes on; whether it took effect is unknown");
  running.wait_until_returned();
  running.call().cancel("too late");
  running.call().drain();
}

TEST_CASE("a plugin inside sees that the runner drains and may finish") {
  Host host("misbehaving");
  Running running = host.start(k_namespace, "until_drained");
  CHECK_FALSE(running.has_reply_within(Milliseconds(200)));
  running.call().drain();
  CHECK(running.text() == R"(<{"state":"drain"}>)");
}

TEST_CASE("a call that was cancelled before it ran is not started") {
  Host host("misbehaving");
  std::promise<Outcome> told;
  const auto call = host.invoker().prepare(Host::invocation(k_namespace, "ok"), [&](Outcome outcome, bool) {
    told.set_value(std::move(outcome));
  });
  call->cancel("no longer needed");
  call->run();
  CHECK(std::get<Failure>(told.get_future().get()).message == "no longer needed; the task was not started");
}

TEST_CASE("a call that sleeps in a library past its deadline is given up, and its late result dropped") {
  Host host("misbehaving", Host::hasty());
  Invocation invocation = limited("sleeps_in_library", Milliseconds(20));
  const auto kept = std::make_shared<int>();
  invocation.keep_alive = kept;
  Running running = host.start(std::move(invocation));
  const auto reply = running.reply();
  CHECK(reply.given_up);
  CHECK(reply.text() ==
        "1: time limit of 0.02 s exceeded: the plugin did not return within 0.05 s and was given up; whether "
        "it took "
        "effect is unknown");
  CHECK(host.logged("does not return and is given up"));
  CHECK(misbehave(host, "ok") == "<{}>");  // the second place of the namespace
  running.wait_until_returned();
  CHECK(host.invoker().abandoned() == 0);
  CHECK(kept.use_count() == 1);
  CHECK(host.logged("a call that was given up has returned"));
  CHECK(misbehave(host, "ok") == "<{}>");
}

TEST_CASE("when all places are lost to calls that hang, waiting and new tasks fail at once") {
  Host host("misbehaving", Host::hasty());
  Running first = host.start(limited("never_returns", Milliseconds(20)));
  Running second = host.start(limited("never_returns", Milliseconds(200)));
  CHECK_FALSE(second.has_reply_within(Milliseconds(20)));
  CHECK(first.reply().given_up);
  Running waiting = host.start(k_namespace, "ok");  // waits for the second place, or already fails
  CHECK(second.reply().given_up);
  const std::string expected =
      "1: plugin com.example.misbehaving: its library hangs: 2 call(s) did not return; restart the runner";
  CHECK(waiting.text() == expected);
  CHECK(misbehave(host, "ok") == expected);
  CHECK(host.invoker().abandoned() == 2);
  host.destroy_invoker();  // does not wait for them
}

TEST_CASE("above max_concurrency tasks wait for a place and their clock has not started") {
  Host host("misbehaving");
  Running first = host.start(k_namespace, "until_drained");
  Running second = host.start(k_namespace, "until_drained");
  CHECK_FALSE(first.has_reply_within(Milliseconds(100)));
  Running waiting = host.start(limited("ok", Milliseconds(1'000)));
  Running cancelled = host.start(k_namespace, "ok");
  CHECK_FALSE(waiting.has_reply_within(Milliseconds(1'500)));
  cancelled.call().cancel("lost");
  CHECK(cancelled.text() == "1: lost; the task was not started");
  first.call().drain();
  CHECK(first.text() == R"(<{"state":"drain"}>)");
  CHECK(waiting.text() == "<{}>");
  second.call().drain();
  CHECK(second.text() == R"(<{"state":"drain"}>)");
}

TEST_CASE("shutdown closes what is idle, leaves what is busy, and lets nothing in") {
  Host host("misbehaving");
  CHECK(misbehave(host, "ok") == "<{}>");
  host.invoker().shutdown();
  CHECK(host.logged("closed"));
  CHECK(misbehave(host, "ok") == "1: the runner is stopping; the task was not started");

  Host busy("misbehaving");
  Running running = busy.start(k_namespace, "until_drained");
  CHECK_FALSE(running.has_reply_within(Milliseconds(100)));
  busy.invoker().shutdown();
  CHECK_FALSE(busy.logged("closed"));
  running.call().drain();
  CHECK(running.text() == R"(<{"state":"drain"}>)");
}

TEST_CASE("many calls at once from many threads") {
  Host host("echo");
  std::vector<std::thread> threads;
  std::atomic<int> successes = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        Invocation invocation = Host::invocation("com.example.echo", i % 2 == 0 ? "echo" : "wait");
        invocation.inputs_json = R"({"ms":1})";
        if (t % 2 == 0) invocation.time_limit = Milliseconds(60'000);
        const auto call = host.invoker().prepare(std::move(invocation), [&](Outcome outcome, bool) {
          if (std::holds_alternative<Success>(outcome)) ++successes;
        });
        call->run();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(successes == 400);
}

TEST_CASE("deadline, cancel and return may meet") {
  Host host("echo", Host::hasty());
  std::vector<std::thread> threads;
  std::atomic<int> told = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 30; ++i) {
        Invocation invocation = Host::invocation("com.example.echo", "ignore");
        invocation.inputs_json = R"({"ms":)" + std::to_string(i * 3) + "}";
        invocation.time_limit = Milliseconds(10);
        const auto call = host.invoker().prepare(std::move(invocation), [&](Outcome, bool) { ++told; });
        std::thread canceller([call] { call->cancel("cancelled"); });
        call->run();
        canceller.join();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  wait_until([&] { return told == 120 && host.invoker().abandoned() == 0; });
}
