#include "core/channel/pacing.hpp"

#include <vector>

#include "tests/catch.hpp"

using namespace par::core;
using namespace std::chrono_literals;

namespace {

const SteadyTime k_start{std::chrono::hours(1)};

Pacing pacing_with(double random = 0.5) {
  return Pacing(Pacing::Settings{}, [random] { return random; });
}

// One dequeue that fails as soon as it may start; answers the time it had to wait for.
Milliseconds fail_next(Pacing& pacing, SteadyTime& now, Pacing::Ordered ordered = {}) {
  const SteadyTime start = std::max(now, *pacing.next_start());
  const auto waited = std::chrono::duration_cast<Milliseconds>(start - now);
  now = start;
  pacing.failed(pacing.started(), now, ordered);
  return waited;
}

Milliseconds wait_from(const Pacing& pacing, SteadyTime now) {
  REQUIRE(pacing.next_start());
  return std::chrono::duration_cast<Milliseconds>(*pacing.next_start() - now);
}

}  // namespace

TEST_CASE("one dequeue runs at a time while there is no task") {
  Pacing pacing = pacing_with();
  REQUIRE(*pacing.next_start() <= k_start);
  const auto ticket = pacing.started();
  CHECK_FALSE(pacing.next_start());
  pacing.empty(ticket, k_start, {});
  CHECK(wait_from(pacing, k_start) == 1s);
}

TEST_CASE("a task opens the window and the first empty answer closes it to one") {
  Pacing pacing = pacing_with();
  pacing.task(pacing.started());
  std::vector<Pacing::Ticket> tickets;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(*pacing.next_start() <= k_start);
    tickets.push_back(pacing.started());
  }
  pacing.task(tickets[0]);
  CHECK(*pacing.next_start() <= k_start);
  pacing.empty(tickets[1], k_start, {});
  CHECK(wait_from(pacing, k_start) == 1s);
  // Answers of the earlier generation change nothing.
  pacing.empty(tickets[2], k_start + 500ms, {});
  pacing.task(tickets[3]);
  CHECK(wait_from(pacing, k_start) == 1s);
  const auto next = pacing.started();
  CHECK_FALSE(pacing.next_start());
  pacing.task(tickets[4]);
  CHECK_FALSE(pacing.next_start());
  pacing.task(next);
  CHECK(*pacing.next_start() <= k_start + 1s);
}

TEST_CASE(
    "back-off doubles from 1 s to 180 s, and the 20th failure in a row waits 5 minutes and starts again") {
  Pacing pacing = pacing_with();
  SteadyTime now = k_start;
  const std::vector<int> expected{0,   1,   2,   4,   8,   16,  32,  64,  128, 180, 180,
                                  180, 180, 180, 180, 180, 180, 180, 180, 180, 300, 1};
  fail_next(pacing, now);
  for (size_t n = 1; n < expected.size(); ++n) {
    CAPTURE(n);
    CHECK(fail_next(pacing, now) == std::chrono::seconds(expected[n]));
  }
}

TEST_CASE("waits of 4 s and more vary by 10 percent each way, shorter ones and orders do not") {
  for (const double random : {0.0, 0.999999}) {
    Pacing pacing = pacing_with(random);
    SteadyTime now = k_start;
    fail_next(pacing, now);
    CHECK(fail_next(pacing, now) == 1s);
    CHECK(fail_next(pacing, now) == 2s);
    const auto third = fail_next(pacing, now);
    CHECK(third == (random == 0.0 ? 3600ms : 4400ms));
    fail_next(pacing, now, 10s);
    CHECK(wait_from(pacing, now) == 10s);
  }
}

TEST_CASE("when all dequeues of a large pool are reset at once the next wait is 1 s") {
  Pacing pacing = pacing_with();
  pacing.task(pacing.started());
  std::vector<Pacing::Ticket> tickets;
  for (int i = 0; i < 50; ++i) tickets.push_back(pacing.started());
  for (const auto ticket : tickets) pacing.failed(ticket, k_start, {});
  CHECK(wait_from(pacing, k_start) == 1s);
  CHECK(pacing.failures() == 1);
  // The next failure is the second in a row, whatever the pool's size.
  pacing.failed(pacing.started(), k_start + 1s, {});
  CHECK(wait_from(pacing, k_start + 1s) == 2s);
}

TEST_CASE("any answer of the present generation ends a row of failures") {
  Pacing pacing = pacing_with();
  SteadyTime now = k_start;
  for (int i = 0; i < 5; ++i) fail_next(pacing, now);
  now = *pacing.next_start();
  SECTION("an empty one") {
    pacing.empty(pacing.started(), now, {});
  }
  SECTION("a task") {
    pacing.task(pacing.started());
  }
  now = std::max(now, *pacing.next_start());
  pacing.failed(pacing.started(), now, {});
  CHECK(wait_from(pacing, now) == 1s);
}

TEST_CASE("an ordered wait takes the place of back-off, breaker and loop interval") {
  Pacing pacing = pacing_with();
  SteadyTime now = k_start;
  SECTION("shorter than the back-off") {
    for (int i = 0; i < 7; ++i) fail_next(pacing, now);
    now = *pacing.next_start();
    pacing.failed(pacing.started(), now, 500ms);
    CHECK(wait_from(pacing, now) == 500ms);
  }
  SECTION("instead of the breaker") {
    for (int i = 0; i < 19; ++i) fail_next(pacing, now);
    now = *pacing.next_start();
    pacing.failed(pacing.started(), now, 7s);
    CHECK(wait_from(pacing, now) == 7s);
  }
  SECTION("after an empty answer") {
    pacing.empty(pacing.started(), now, 100ms);
    CHECK(wait_from(pacing, now) == 100ms);
  }
}

TEST_CASE("an ordered wait delays every new dequeue, whichever answer brought it") {
  Pacing pacing = pacing_with();
  pacing.task(pacing.started());
  const auto first = pacing.started();
  const auto second = pacing.started();
  SECTION("with a task") {
    pacing.ordered_wait(k_start, 30s);
    pacing.task(first);
    CHECK(wait_from(pacing, k_start) == 30s);
  }
  SECTION("from an earlier generation") {
    pacing.empty(first, k_start, {});
    pacing.failed(second, k_start, 45s);
    CHECK(wait_from(pacing, k_start) == 45s);
  }
  SECTION("and a later shorter one does not shorten it") {
    pacing.empty(first, k_start, 60s);
    pacing.failed(second, k_start, 1s);
    CHECK(wait_from(pacing, k_start) == 60s);
  }
}

TEST_CASE("X-Retry-After-Ms is a whole number above 0, at most 120 s") {
  CHECK(parse_retry_after("1") == 1ms);
  CHECK(parse_retry_after(" 2500 ") == 2500ms);
  CHECK(parse_retry_after("120000") == 120s);
  CHECK(parse_retry_after("120001") == 120s);
  CHECK(parse_retry_after("99999999999999999999999") == 120s);
  CHECK(parse_retry_after("0000000000000005") == 5ms);
  for (const char* bad : {"", "0", "000", "-5", "+5", "1.5", "1e3", "soon", "5s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_retry_after(bad));
  }
}
