#include "core/cli/arguments.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace par::core {
namespace {

struct Flag {
  std::string_view name;
  Command command;
};

constexpr Flag k_commands[] = {{"--check", Command::check},
                               {"--list-actions", Command::list_actions},
                               {"--healthcheck", Command::healthcheck},
                               {"--version", Command::version},
                               {"--help", Command::help}};

}  // namespace

Result<Arguments> parse_arguments(const std::vector<std::string_view>& arguments) {
  Arguments parsed;
  std::string_view command;
  for (const std::string_view argument : arguments) {
    if (argument == "--json" || argument == "--rbac") {
      (argument == "--json" ? parsed.json : parsed.rbac) = true;
      continue;
    }
    const auto* const flag = std::find_if(std::begin(k_commands), std::end(k_commands),
                                          [&](const Flag& known) { return known.name == argument; });
    if (flag == std::end(k_commands)) return fail(fmt::format("unknown argument {}", argument));
    if (!command.empty()) return fail(fmt::format("{} and {} cannot go together", command, argument));
    command = flag->name;
    parsed.command = flag->command;
  }
  if ((parsed.json || parsed.rbac) && parsed.command != Command::list_actions) {
    return fail(fmt::format("{} goes with --list-actions only", parsed.json ? "--json" : "--rbac"));
  }
  if (parsed.json && parsed.rbac) return fail("--json and --rbac cannot go together");
  return parsed;
}

std::string_view usage() {
  return R"(par-runner runs private actions of Datadog workflows inside your network.

usage: par-runner                         run until SIGTERM or SIGINT
       par-runner --check                 validate configuration, plugins, connectivity and keys, without taking tasks
       par-runner --list-actions [--json] print every action of the installed plugins
       par-runner --list-actions --rbac   print the Kubernetes roles that the allowed actions need, as YAML
       par-runner --healthcheck           ask the runner on this machine whether it lives (for container health checks)
       par-runner --version
       par-runner --help

The configuration is config.yaml in the directory that DD_PRIVATE_RUNNER_CONFIG_DIR names (/etc/dd-action-runner/config
if unset), and variables. All options: config.example.yaml in the installation's share/par-runner/.

Results go to standard output. So do the log lines of the running service; the commands above log to standard error.

exit codes: 0  done; the service was stopped by a signal
            1  the answer of the command is no, or the service could not start
            2  unknown arguments
            3  the service ended itself, since too many calls of plugins did not return: start it again
          128+ a second signal ended the service at once
)";
}

}  // namespace par::core
