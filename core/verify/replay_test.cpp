#include "core/verify/replay.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

using namespace par::core;
using std::chrono::seconds;

namespace {
const SystemTime k_now{seconds(1'767'225'600)};
}

TEST_CASE("a task is taken on once") {
  ReplayMemory memory;
  CHECK(memory.first_time("task", "job", k_now + seconds(60), k_now));
  CHECK_FALSE(memory.first_time("task", "job", k_now + seconds(60), k_now));
  CHECK_FALSE(memory.first_time("task", "job", k_now + seconds(60), k_now + seconds(60)));
  CHECK(memory.first_time("task", "job 2", k_now + seconds(60), k_now));
  CHECK(memory.first_time("task 2", "job", k_now + seconds(60), k_now));
  CHECK(memory.first_time("taskj", "ob", k_now + seconds(60), k_now));
}

TEST_CASE("a task is forgotten once it has expired") {
  ReplayMemory memory;
  CHECK(memory.first_time("task", "job", k_now + seconds(60), k_now));
  CHECK(memory.first_time("task", "job", k_now + seconds(60), k_now + seconds(61)));
}

TEST_CASE("a full memory forgets the task that expires first") {
  ReplayMemory memory(2);
  CHECK(memory.first_time("late", "job", k_now + seconds(90), k_now));
  CHECK(memory.first_time("early", "job", k_now + seconds(60), k_now));
  CHECK(memory.first_time("middle", "job", k_now + seconds(70), k_now));
  CHECK_FALSE(memory.first_time("late", "job", k_now + seconds(90), k_now));
  CHECK_FALSE(memory.first_time("middle", "job", k_now + seconds(70), k_now));
}

TEST_CASE("of threads with the same task one takes it on") {
  ReplayMemory memory;
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (memory.first_time(std::to_string(i), "job", k_now + seconds(i % 7), k_now)) ++taken;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(taken == 500);
}
