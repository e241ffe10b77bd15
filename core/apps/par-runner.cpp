// The program: everything it does is in core/cli and below.
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "core/cli/cli.hpp"
#include "core/cli/exit_code.hpp"
#include "core/cli/hardening.hpp"
#include "core/cli/installation.hpp"

int main(int argc, char** argv) {
  using namespace par::core;
  harden_process();
  try {
    const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return run_cli(arguments, process_environment(), own_executable());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "par-runner: unexpected: %s\n", error.what());
    return exit_failed;
  }
}
