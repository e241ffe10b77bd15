#include "core/cli/arguments.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace par::core {
namespace {

struct Flag {
  std::string_view name;
  Command command;
};

constexpr Flag k_commands[] = {{"--enroll", Command::enroll},
                               {"--enroll-and-print-config", Command::enroll},
                               {"--check", Command::check},
                               {"--list-actions", Command::list_actions},
                               {"--healthcheck", Command::healthcheck},
                               {"invoke", Command::invoke},
                               {"--version", Command::version},
                               {"--help", Command::help}};

// Reads arguments one after the other, since some have a value behind them.
class Reader {
 public:
  explicit Reader(const std::vector<std::string_view>& arguments) : arguments_(arguments) {}

  Result<Arguments> read() {
    while (at_ < arguments_.size()) {
      if (auto done = read_one(arguments_[at_++]); !done) return tl::unexpected(done.error());
    }
    if (parsed_.json && parsed_.rbac) return fail("--json and --rbac cannot go together");
    for (const auto& [given, name, goes_with, commands] :
         {Rule{parsed_.json, "--json", "--list-actions", {Command::list_actions}},
          Rule{parsed_.rbac, "--rbac", "--list-actions", {Command::list_actions}},
          Rule{parsed_.with_api_key,
               "--with-api-key",
               "running and --enroll",
               {Command::run, Command::enroll}},
          Rule{has_format_, "-f", "--enroll", {Command::enroll}},
          Rule{has_output_, "-o", "--enroll", {Command::enroll}},
          Rule{!parsed_.inputs.empty(), "--inputs", "invoke", {Command::invoke}},
          Rule{!parsed_.connection.empty(), "--connection", "invoke", {Command::invoke}}}) {
      if (given && std::find(commands.begin(), commands.end(), parsed_.command) == commands.end())
        return fail(fmt::format("{} goes with {} only", name, goes_with));
    }
    if (parsed_.command == Command::invoke && parsed_.inputs.empty()) {
      return fail("invoke needs --inputs FILE, a JSON object");
    }
    return parsed_;
  }

 private:
  struct Rule {
    bool given;
    std::string_view name;
    std::string_view goes_with;
    std::vector<Command> commands;
  };

  Result<void> read_one(std::string_view argument) {
    if (argument == "--json") {
      parsed_.json = true;
    } else if (argument == "--rbac") {
      parsed_.rbac = true;
    } else if (argument == "--with-api-key") {
      parsed_.with_api_key = true;
    } else if (argument == "-f") {
      const auto name = value_of(argument);
      if (!name) return tl::unexpected(name.error());
      const auto format = enrollment_format(*name);
      if (!format) return fail(fmt::format("-f {}: expected config, helm-values or env", *name));
      parsed_.format = *format;
      has_format_ = true;
    } else if (argument == "-o" || argument == "--output") {
      const auto path = value_of(argument);
      if (!path) return tl::unexpected(path.error());
      parsed_.output = *path;
      has_output_ = true;
    } else if (argument == "--inputs" || argument == "--connection") {
      const auto path = value_of(argument);
      if (!path) return tl::unexpected(path.error());
      (argument == "--inputs" ? parsed_.inputs : parsed_.connection) = *path;
    } else {
      return read_command(argument);
    }
    return {};
  }

  Result<void> read_command(std::string_view argument) {
    const auto* const flag = std::find_if(std::begin(k_commands), std::end(k_commands),
                                          [&](const Flag& known) { return known.name == argument; });
    if (flag == std::end(k_commands)) return fail(fmt::format("unknown argument {}", argument));
    if (!command_.empty() && flag->command != parsed_.command)
      return fail(fmt::format("{} and {} cannot go together", command_, argument));
    command_ = flag->name;
    parsed_.command = flag->command;
    if (flag->command != Command::invoke) return {};
    const auto action = value_of("invoke");
    if (!action) return tl::unexpected(action.error());
    parsed_.action = *action;
    return {};
  }

  Result<std::string_view> value_of(std::string_view argument) {
    if (at_ == arguments_.size() || arguments_[at_].empty())
      return fail(fmt::format("{} has no value behind it", argument));
    return arguments_[at_++];
  }

  const std::vector<std::string_view>& arguments_;
  size_t at_ = 0;
  Arguments parsed_;
  std::string_view command_;
  bool has_format_ = false;
  bool has_output_ = false;
};

}  // namespace

Result<Arguments> parse_arguments(const std::vector<std::string_view>& arguments) {
  return Reader(arguments).read();
}

std::string_view usage() {
  return R"(par-runner runs private actions of Datadog workflows inside your network.

usage: par-runner [--with-api-key]        run until SIGTERM or SIGINT; a runner without identity is enrolled first
       par-runner --enroll [--with-api-key] [-f config|helm-values|env] [-o FILE]
                                          enroll, print the identity, and end
       par-runner --check                 validate configuration, plugins, connectivity and keys, without taking tasks
       par-runner --list-actions [--json] print every action of the installed plugins
       par-runner --list-actions --rbac   print the Kubernetes roles that the allowed actions need, as YAML
       par-runner --healthcheck           ask the runner on this machine whether it lives (for container health checks)
       par-runner invoke ACTION --inputs FILE [--connection FILE]
                                          run one action here and now, without Datadog, and print its result. FILE is a JSON
                                          object; the connection's a credential file, or a whole connection (auth, tokens). Says
                                          what actionsAllowlist decides
       par-runner --version
       par-runner --help

The configuration is config.yaml in the directory that DD_PRIVATE_RUNNER_CONFIG_DIR names (/etc/dd-action-runner/config
if unset), and variables. All options: config.example.yaml in the installation's share/par-runner/.

Enrolling needs RUNNER_ENROLLMENT_TOKEN, the one-time token that Datadog shows for a new runner; or, with --with-api-key,
DD_API_KEY and DD_APP_KEY, and RUNNER_NAME, RUNNER_MODES and ACTIONS_ALLOWLIST as far as wanted. DD_BASE_URL names the site.
When it runs, the runner keeps its identity in config.yaml; a runner that has one is never enrolled again, so the flag and the
variables may stay. --enroll-and-print-config is the older name of --enroll.

Results go to standard output. So do the log lines of the running service; the commands above log to standard error.

exit codes: 0  done; the service was stopped by a signal
            1  the answer of the command is no, or the service could not start
            2  unknown arguments
            3  the service ended itself, since too many calls of plugins did not return: start it again
          128+ a second signal ended the service at once
)";
}

}  // namespace par::core
