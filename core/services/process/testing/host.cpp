// Stands for a runner that is killed: starts the program of its arguments, prints what that prints, and
// waits.
#include <cstdio>

#include "core/services/process/testing/run.hpp"

int main(int argc, char** argv) {
  using namespace par::core::testing;
  TestService service;
  TestCall call;
  Program program;
  program.argv.assign(argv + 1, argv + argc);
  Run run(service.table, call, program);
  while (run.read_some()) {
    std::fwrite(run.out.data(), 1, run.out.size(), stdout);
    std::fflush(stdout);
    run.out.clear();
  }
  return 0;
}
