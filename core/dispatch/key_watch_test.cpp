#include "core/dispatch/key_watch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/channel/testing/fakes.hpp"
#include "core/dispatch/health.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    read_end = FileDescriptor(ends[0]);
    write_end = FileDescriptor(ends[1]);
  }
  FileDescriptor read_end;
  FileDescriptor write_end;
};

struct Fixture {
  Fixture() { health.control_succeeded(Milliseconds(0)); }

  std::string logged() const {
    char buffer[4096];
    const ssize_t size = ::read(lines.read_end.get(), buffer, sizeof buffer);
    return size <= 0 ? std::string() : std::string(buffer, static_cast<size_t>(size));
  }
  std::string reason() const {
    const auto report = health.readiness();
    return report.reasons.empty() ? std::string() : report.reasons.front();
  }

  Pipe lines;
  testing::FakeTimers timers;
  Redactor redactor;
  Log log{lines.write_end.get(), LogFormat::text, LogLevel::info, redactor};
  Health health;
  std::string cause = "the network is down";
  KeyWatch watch{timers, log, health, [this] { return cause; }};
};

}  // namespace

TEST_CASE("after a minute without keys log and readiness name the likely cause") {
  Fixture test;
  test.watch.begin();
  CHECK(test.reason() == "no signing keys: the network is down");
  test.timers.advance(Milliseconds(59'000));
  test.cause = "is Remote Configuration enabled?";
  test.watch.refresh();
  CHECK(test.reason() == "no signing keys: is Remote Configuration enabled?");
  CHECK(test.logged().empty());
  test.timers.advance(Milliseconds(1'000));
  const std::string line = test.logged();
  CHECK(line.find("no signing keys after 60 s: is Remote Configuration enabled?") != std::string::npos);
  CHECK(test.reason() == "no signing keys after 60 s: is Remote Configuration enabled?");
  CHECK(test.timers.running() == 0);
  CHECK_FALSE(test.watch.arrived());

  test.timers.advance(Milliseconds(30'000));
  test.watch.update(true);
  CHECK(test.reason().empty());
  CHECK(test.watch.latency() == Milliseconds(90'000));
}

TEST_CASE("keys that arrive end the watch") {
  Fixture test;
  test.watch.begin();
  test.watch.update(false);
  CHECK_FALSE(test.watch.arrived());
  test.timers.advance(Milliseconds(1'200));
  test.watch.update(true);
  CHECK(test.watch.arrived());
  CHECK(test.watch.latency() == Milliseconds(1'200));
  CHECK(test.timers.running() == 0);
  // Withdrawn keys are readiness' business at once, and the latency stays that of the first ones.
  test.cause = "all were withdrawn";
  test.watch.update(false);
  CHECK(test.reason() == "no signing keys: all were withdrawn");
  test.watch.update(true);
  CHECK(test.reason().empty());
  CHECK(test.watch.latency() == Milliseconds(1'200));
}
