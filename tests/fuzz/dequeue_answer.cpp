#include "core/channel/raw_task.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto task = parse_dequeue_answer(std::string(par::fuzz::text(data, size)));
  if (!task) {
    PAR_FUZZ_REQUIRE(!task.error().message.empty());
    return 0;
  }
  // What comes from outside must be fit to be sent back.
  PAR_FUZZ_REQUIRE(!heartbeat_body(task->address).empty());
  PAR_FUZZ_REQUIRE(!failure_body(task->address, Failure{}).empty());
  return 0;
}
