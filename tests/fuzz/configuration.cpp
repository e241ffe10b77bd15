#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "core/config/config.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

namespace {

void remove_directory();

/// A configuration directory in memory, for this process.
const std::filesystem::path& directory() {
  static const auto path = [] {
    const auto base = std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                                : std::filesystem::temp_directory_path();
    auto made = base / ("par-fuzz-config-" + std::to_string(getpid()));
    std::filesystem::create_directories(made);
    std::atexit(remove_directory);
    return made;
  }();
  return path;
}

void remove_directory() {
  std::filesystem::remove_all(directory());
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::ofstream(directory() / "config.yaml", std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const Environment environment{{"DD_PRIVATE_RUNNER_CONFIG_DIR", directory().string()}};
  const auto config = load_config(environment, "/nowhere", false);
  PAR_FUZZ_REQUIRE(config || !config.error().message.empty());
  return 0;
}
