// Every config.yaml that the official Helm chart renders is read without a complaint about its keys.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/config/config.hpp"
#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

// The block scalar config.yaml of the rendered Secret.
std::string config_in(const std::filesystem::path& rendered) {
  std::ifstream lines(rendered);
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line.starts_with("    ")) {
      text += line.substr(4) + "\n";
    } else {
      inside = line == "  config.yaml: |";
    }
  }
  return text;
}

}  // namespace

TEST_CASE("every configuration that the chart renders is read") {
  const char* const fixtures = std::getenv("PAR_TEST_FIXTURES");
  const std::filesystem::path directory =
      std::filesystem::path(fixtures == nullptr ? "" : fixtures) / "chart/rendered";
  if (fixtures == nullptr || !std::filesystem::is_directory(directory)) {
    std::puts("SKIPPED: PAR_TEST_FIXTURES does not name a directory with chart/rendered");
    return;
  }
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string text = config_in(entry.path());
    if (text.empty()) continue;
    CAPTURE(entry.path().native());
    const TestDirectory home;
    home.write("config.yaml", text);
    const auto config = load_config({{"DD_PRIVATE_RUNNER_CONFIG_DIR", home.path().native()}}, "/p", false);
    INFO((config ? std::string() : config.error().message));
    REQUIRE(config);
    CHECK(config->site == "datadoghq.com");
    CHECK_FALSE(config->actions_allowlist.empty());
    for (const std::string& warning : config->warnings) {
      CAPTURE(warning);
      CHECK(warning.find("unknown key") == std::string::npos);
    }
    ++read;
  }
  CHECK(read > 0);
}
