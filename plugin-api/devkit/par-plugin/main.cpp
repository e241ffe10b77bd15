// par-plugin: makes, checks and looks at plugins of par-runner.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "plugin-api/devkit/par-plugin/commands.hpp"
#include "plugin-api/devkit/par-plugin/report.hpp"

namespace par::kit {
namespace {

constexpr const char* k_help = R"(par-plugin makes, checks and looks at plugins of par-runner.

usage:
  par-plugin new NAMESPACE [DIR]       writes a small plugin that is complete: build it, check it, run it
  par-plugin check FILE.so [options]   does the library keep the rules of the plugin ABI?
  par-plugin fuzz FILE.so [options]    random calls and answers; a seed reproduces what ends the process
  par-plugin inspect FILE.so           what the file says of itself; nothing of it is run
  par-plugin list [--json]             all checks with their rules, and the rules that have none
  par-plugin help

options of check:
  --samples FILE   inputs, connections and servers' answers for the actions (README.md)
  --net NAME=ADDRESS   a name that par.net/1 resolves, to the numeric address of a server for tests
  --only CHECK     this check alone
  --limit SECONDS  for each check (default 60); each runs in a process of its own
  --json FILE      also write the findings as JSON, --junit FILE as JUnit XML ("-": to standard output, alone)

options of fuzz:
  --samples FILE   as above
  --seconds N      how long (default 60)
  --seed N         the call of this seed alone

exit codes: 0 all is well; 1 it is not; 2 wrong usage or samples
)";

int list_command(Words words) {
  const bool json = words.size() == 1 && words[0] == "--json";
  if (!words.empty() && !json) return complain("list takes --json or nothing", k_usage);
  std::fputs(list_of_checks(json).c_str(), stdout);
  return k_done;
}

}  // namespace

int complain(std::string_view text, int code) {
  std::fputs(fmt::format("par-plugin: {}\n", text).c_str(), stderr);
  return code;
}

int run(const std::vector<std::string_view>& words) {
  const std::string_view command = words.empty() ? "" : words[0];
  const Words rest = words.empty() ? Words() : Words(words).subspan(1);
  if (command == "check") return check_command(rest);
  if (command == "inspect") return inspect_command(rest);
  if (command == "new") return new_command(rest);
  if (command == "fuzz") return fuzz_command(rest);
  if (command == "run-seeds") return run_seeds_command(rest);
  if (command == "list") return list_command(rest);
  if (command == "run-check") return run_check_command(rest);
  if (command == "help" || command == "--help") {
    std::fputs(k_help, stdout);
    return k_done;
  }
  complain(command.empty() ? "no command" : fmt::format("unknown command {}", command));
  std::fputs(k_help, stderr);
  return k_usage;
}

}  // namespace par::kit

int main(int argc, char** argv) {
  try {
    return par::kit::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    return par::kit::complain(error.what());
  }
}
