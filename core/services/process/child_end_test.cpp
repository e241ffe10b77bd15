// How runs end: cancellation, time limits, descendants that hide, release, a runner that dies, and nothing
// left over.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/services/process/testing/run.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

namespace {

using Clock = std::chrono::steady_clock;

Program odd(const std::string& what) {
  return Program{.argv = {PAR_TEST_ODD, what}};
}

/// Asks for a cancel from another thread, a little later.
std::jthread cancel_later(TestCall& call, int milliseconds = 50) {
  return std::jthread([&call, milliseconds] {
    std::this_thread::sleep_for(Milliseconds(milliseconds));
    call.stop.request_stop();
  });
}

}  // namespace

TEST_CASE(
    "A cancel from another thread sends SIGTERM to the leader, which may still write and choose its exit "
    "code") {
  TestService service;
  TestCall call;
  Run run(service.table, call,
          Program{.argv = {"/bin/sh", "-c",
                           "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done"}});
  REQUIRE(run.read_until("ready\n"));
  const auto canceller = cancel_later(call);
  CHECK(run.finish() == PAR_CANCELLED);
  CHECK(run.out == "ready\nbye\n");
  CHECK(run.child->exit_code == 7);
  CHECK(run.child->term_signal == 0);
}

TEST_CASE("A child that ignores SIGTERM is killed a second later") {
  TestService service;
  TestCall call;
  Run run(service.table, call, odd("ignore-term"));
  REQUIRE(run.read_until("ready\n"));
  const auto begin = Clock::now();
  call.stop.request_stop();
  CHECK(run.finish() == PAR_CANCELLED);
  CHECK(Clock::now() - begin >= Milliseconds(900));
  CHECK(run.child->term_signal == SIGKILL);
}

TEST_CASE("A cancel works although nobody reads") {
  TestService service;
  TestCall call;
  Run run(service.table, call, Program{.argv = {"/bin/sh", "-c", "echo $$; sleep 100"}});
  REQUIRE(run.read_until("\n"));
  call.stop.request_stop();
  CHECK(gone(std::stoi(run.out)));
}

TEST_CASE("Nothing is started in a call that is cancelled already") {
  TestService service;
  TestCall call;
  call.stop.request_stop();
  Run run(service.table, call, odd("inherited"));
  CHECK(run.started == PAR_CANCELLED);
  CHECK(run.finish() == PAR_CANCELLED);
}

TEST_CASE("The request's time limit and the call's deadline end a run with DEADLINE") {
  TestService service;
  SECTION("of the request") {
    TestCall call;
    Program program = odd("exit-on-term");
    program.timeout_ms = 100;
    Run run(service.table, call, program);
    CHECK(run.finish() == PAR_DEADLINE);
    CHECK(run.child->failure == PAR_DEADLINE);
  }
  SECTION("of the call") {
    TestCall call(Milliseconds(100));
    Program program = odd("exit-on-term");
    program.timeout_ms = 60'000;
    Run run(service.table, call, program);
    CHECK(run.finish() == PAR_DEADLINE);
  }
  SECTION("of the call, which is then cancelled by its owner") {
    TestCall call(Milliseconds(200));
    Run run(service.table, call, odd("ignore-term"));
    const auto canceller = cancel_later(call, 200);
    CHECK(run.finish() == PAR_DEADLINE);
  }
}

TEST_CASE("A daemon with a session of its own ends with its leader") {
  TestService service;
  TestCall call;
  Run run(service.table, call, odd("daemon"));
  CHECK(run.finish() == PAR_OK);
  CHECK(run.child->exit_code == 0);
  const int daemon = number_after(run.out, "daemon ");
  REQUIRE(daemon > 0);
  CHECK_FALSE(alive(daemon));
}

TEST_CASE("A daemon ends when its living leader is cancelled") {
  TestService service;
  TestCall call;
  Run run(service.table, call,
          Program{.argv = {"/bin/sh", "-c", std::string(PAR_TEST_ODD) + " daemon; sleep 100"}});
  REQUIRE(run.read_until("daemon "));
  REQUIRE(run.read_until("\n"));
  const int daemon = number_after(run.out, "daemon ");
  CHECK(alive(daemon));
  call.stop.request_stop();
  CHECK(run.finish() == PAR_CANCELLED);
  CHECK_FALSE(alive(daemon));
}

TEST_CASE("Processes that start new ones as fast as they end are caught") {
  TestService service;
  TestCall call;
  for (int round = 0; round < 3; ++round) {
    Run run(service.table, call, odd("respawn"));
    REQUIRE(run.read_until("respawning\n"));
    run.release();
  }
  CHECK(children().empty());
}

TEST_CASE("Release ends what still runs, and so does the end of the call") {
  TestService service;
  int pid = 0;
  {
    TestCall call;
    Run run(service.table, call, odd("daemon"));
    REQUIRE(run.read_until("daemon "));
    REQUIRE(run.read_until("\n"));
    pid = number_after(run.out, "daemon ");
    run.release();
    CHECK_FALSE(alive(pid));
  }
  {
    TestCall call;
    Run run(service.table, call,
            Program{.argv = {"/bin/sh", "-c", "echo $$; trap '' TERM; sleep 100; sleep 100"}});
    REQUIRE(run.read_until("\n"));
    pid = std::stoi(run.out);
    run.child = nullptr;  // forgotten by the plugin
  }
  CHECK_FALSE(alive(pid));
  CHECK(children().empty());
}

TEST_CASE("A runner that is killed takes its children along, daemons included") {
  TestService service;
  for (const std::string what : {"ignore-term", "daemon-and-wait"}) {
    INFO(what);
    int output[2];
    REQUIRE(pipe2(output, O_CLOEXEC) == 0);
    const std::string script = what == "ignore-term"
                                   ? "echo pid $$; trap '' TERM; while :; do sleep 1; done"
                                   : std::string(PAR_TEST_ODD) + " daemon | sed -u s/daemon/pid/; sleep 100";
    const pid_t host = fork();
    if (host == 0) {
      dup2(output[1], 1);
      execl(PAR_TEST_HOST, PAR_TEST_HOST, "/bin/sh", "-c", script.c_str(), nullptr);
      _exit(127);
    }
    close(output[1]);
    std::string text;
    char piece[100];
    for (ssize_t length;
         text.find('\n') == std::string::npos && (length = read(output[0], piece, sizeof piece)) > 0;) {
      text.append(piece, static_cast<size_t>(length));
    }
    const int pid = number_after(text, "pid ");
    REQUIRE(pid > 0);
    CHECK(alive(pid));
    kill(host, SIGKILL);
    waitpid(host, nullptr, 0);
    CHECK(gone(pid));
    close(output[0]);
  }
}

TEST_CASE("A child outlives the thread that started it") {
  TestService service;
  TestCall call;
  std::optional<Run> run;
  std::thread([&] {
    run.emplace(service.table, call, Program{.argv = {"/bin/sh", "-c", "sleep 0.2; echo alive"}});
  }).join();
  CHECK(run->finish() == PAR_OK);
  CHECK(run->out == "alive\n");
}

TEST_CASE("A supervisor that is killed does not leave its leader, and read says so") {
  TestService service;
  TestCall call;
  Run run(service.table, call, Program{.argv = {"/bin/sh", "-c", "echo $$; echo parent $PPID; sleep 100"}});
  REQUIRE(run.read_until("parent "));
  REQUIRE(run.read_until("\n"));
  const int leader = std::stoi(run.out);
  kill(number_after(run.out, "parent "), SIGKILL);
  CHECK(run.finish() == PAR_INTERNAL);
  CHECK(gone(leader));
}

TEST_CASE("A program that signals its whole group hits only itself") {
  TestService service;
  TestCall call;
  Run run(service.table, call, Program{.argv = {"/bin/sh", "-c", "kill -KILL 0"}});
  CHECK(run.finish() == PAR_OK);
  CHECK(run.child->term_signal == SIGKILL);
}

TEST_CASE("Many runs on many threads leave no descriptor and no zombie behind") {
  TestService service;
  const size_t before = open_descriptors();
  {
    std::vector<std::jthread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 25; ++i) {
          TestCall call;
          const bool cancel = i % 5 == 4;
          Run run(service.table, call,
                  i % 5 == 3 ? Program{.argv = {"/no/such/program"}}
                             : Program{.argv = {"/bin/sh", "-c",
                                                cancel ? "sleep 100" : "echo " + std::to_string(t)}});
          const auto canceller = cancel ? cancel_later(call, i) : std::jthread();
          const par_status expected = i % 5 == 3 ? PAR_SPAWN : cancel ? PAR_CANCELLED : PAR_OK;
          if (run.finish() != expected) ++wrong;
          if (expected == PAR_OK && run.out != std::to_string(t) + "\n") ++wrong;
          if (i % 2 == 0) run.release();
        }
      });
    }
    threads.clear();
    CHECK(wrong == 0);
  }
  CHECK(open_descriptors() == before);
  CHECK(children().empty());
}
