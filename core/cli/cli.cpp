#include "core/cli/cli.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "core/cli/arguments.hpp"
#include "core/cli/check.hpp"
#include "core/cli/enrollment.hpp"
#include "core/cli/exit_code.hpp"
#include "core/cli/health_probe.hpp"
#include "core/cli/installation.hpp"
#include "core/cli/invoke.hpp"
#include "core/cli/list_actions.hpp"
#include "core/cli/rbac.hpp"
#include "core/cli/report.hpp"
#include "core/dispatch/runner.hpp"
#include "core/identity/identity.hpp"
#include "core/plugin/catalog.hpp"
#include "core/policy/allowlist.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core {
namespace {

constexpr Milliseconds k_probe_limit{5'000};

static_assert(k_exit_ok == exit_ok && k_exit_failure == exit_failed && k_exit_abandoned == exit_abandoned,
              "the runner's codes are the ones that --help documents");

void print(std::FILE* out, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

void complain(std::string_view text) {
  print(stderr, fmt::format("par-runner: {}\n", text));
}

/// One call of the program: what all commands need.
class Program {
 public:
  Program(const Environment& environment, const std::filesystem::path& executable)
      : environment_(environment), plugins_directory_(default_plugins_directory(executable)) {}

  int run(const Arguments& arguments) {
    // This and the log live until the process ends, since threads of plugins may log after everything else is
    // gone.
    static Redactor& redactor = *new Redactor;
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    auto config = load(STDOUT_FILENO);
    if (!config) {
      Log(STDOUT_FILENO, terminal ? LogFormat::text : LogFormat::json, LogLevel::info, redactor)
          .error("the configuration cannot be used: " + config.error().message);
      return exit_failed;
    }
    register_secrets(*config, redactor);
    static Log& log = *new Log(STDOUT_FILENO, config->log_format, config->log_level, redactor);
    const auto enrolled = enroll_if_needed(
        {arguments, environment_, [this] { return load(STDOUT_FILENO); }, log, redactor}, *config);
    if (!enrolled) {
      log.error(enrolled.error().message);
      return exit_failed;
    }
    if (!*enrolled) {
      log.info("stopped by a signal");
      return exit_ok;
    }
    if (const auto identity = check_identity(*config); !identity) {
      log.error(identity.error().message);
      return exit_failed;
    }
    return Runner(std::move(*config), log, redactor).run();
  }

  int enroll(const Arguments& arguments) {
    auto config = load(STDERR_FILENO);
    if (!config) {
      complain("the configuration cannot be used: " + config.error().message);
      return exit_failed;
    }
    Redactor redactor;
    register_secrets(*config, redactor);
    const Log log(STDERR_FILENO, config->log_format, config->log_level, redactor);
    return enroll_and_print({arguments, environment_, [this] { return load(STDERR_FILENO); }, log, redactor},
                            std::move(*config));
  }

  int invoke(const Arguments& arguments) {
    static Redactor& redactor = *new Redactor;
    auto loaded = load(STDERR_FILENO);
    if (!loaded) {
      complain("the configuration cannot be used: " + loaded.error().message);
      return exit_failed;
    }
    static Config& config = *new Config(std::move(*loaded));
    register_secrets(config, redactor);
    static Log& log = *new Log(STDERR_FILENO, LogFormat::text, config.log_level, redactor);
    return core::invoke(arguments, config, log, redactor);
  }

  int check() {
    Report report(stdout);
    const auto config = load(STDERR_FILENO);
    if (!config) {
      report.fail("configuration", config.error().message);
      return exit_failed;
    }
    Redactor redactor;
    register_secrets(*config, redactor);
    const Log log(STDERR_FILENO, LogFormat::text, LogLevel::warn, redactor);
    const std::string source = (config->directory / "config.yaml").native();
    report.ok("configuration", config->has_file ? source : "from variables only, there is no " + source);
    for (const std::string& warning : config->warnings) report.warn("configuration", warning);

    const auto tokens = check_identity_settings(*config, report);
    const Catalog catalog = Catalog::scan(config->plugins_directories, config->plugin_hashes);
    check_allowlist(*config, catalog, report);
    check_plugins(*config, catalog, report);
    check_credentials(*config, report);
    const auto trust = check_certificates(*config, report);
    if (tokens != nullptr && trust != nullptr) check_datadog(*config, *tokens, trust, log, report);
    return report.failed() ? exit_failed : exit_ok;
  }

  // Needs no configuration: without a usable one the libraries of the default directories are listed.
  int list(const Arguments& arguments) {
    auto config = load(STDERR_FILENO);
    const bool usable = config.has_value();
    if (!usable) {
      complain("the configuration is left out, since it cannot be used: " + config.error().message);
      config = load_config({{"DD_PRIVATE_RUNNER_CONFIG_DIR", "/nonexistent"},
                            {"PAR_PLUGINS_DIRECTORY", variable("PAR_PLUGINS_DIRECTORY")}},
                           plugins_directory_, false);
      if (!config) return exit_failed;
    }
    const Catalog catalog = Catalog::scan(config->plugins_directories, config->plugin_hashes);
    for (const std::string& warning : catalog.warnings()) complain(warning);
    bool broken = false;
    for (const auto& [name, entry] : catalog.entries()) {
      if (entry.manifest) continue;
      complain(entry.manifest.error().message);
      broken = true;
    }
    const ActionsAllowlist allowlist(config->actions_allowlist);
    if (arguments.rbac) {
      const auto roles = rbac_yaml(catalog, allowlist);
      if (!usable || !roles) {
        complain(roles ? "without a configuration there is no allowlist to take the roles from"
                       : roles.error().message);
        return exit_failed;
      }
      print(stdout, *roles);
      return broken ? exit_failed : exit_ok;
    }
    const bool configured = usable && (config->has_file || allowlist.size() > 0);
    print(stdout, arguments.json ? list_actions_json(catalog, configured ? &allowlist : nullptr)
                                 : list_actions(catalog));
    return broken ? exit_failed : exit_ok;
  }

  int healthcheck() {
    const auto config = load(STDERR_FILENO);
    if (!config) {
      complain(config.error().message);
      return exit_failed;
    }
    if (config->port == 0) {
      complain("the configuration has port: 0, so there is no local server to ask");
      return exit_failed;
    }
    if (const auto alive = probe_liveness(config->port, k_probe_limit); !alive) {
      complain(alive.error().message);
      return exit_failed;
    }
    print(stdout, "alive\n");
    return exit_ok;
  }

 private:
  Result<Config> load(int log_descriptor) const {
    return load_config(environment_, plugins_directory_, ::isatty(log_descriptor) == 1);
  }

  std::string variable(std::string_view name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::string() : found->second;
  }

  const Environment& environment_;
  std::filesystem::path plugins_directory_;
};

}  // namespace

int run_cli(const std::vector<std::string_view>& arguments, const Environment& environment,
            const std::filesystem::path& executable) {
  const auto parsed = parse_arguments(arguments);
  if (!parsed) {
    complain(parsed.error().message);
    print(stderr, usage());
    return exit_usage;
  }
  Program program(environment, executable);
  switch (parsed->command) {
    case Command::run:
      return program.run(*parsed);
    case Command::enroll:
      return program.enroll(*parsed);
    case Command::check:
      return program.check();
    case Command::list_actions:
      return program.list(*parsed);
    case Command::healthcheck:
      return program.healthcheck();
    case Command::invoke:
      return program.invoke(*parsed);
    case Command::version:
      print(stdout, fmt::format("par-runner {}\n", PAR_VERSION));
      return exit_ok;
    case Command::help:
      print(stdout, usage());
      return exit_ok;
  }
  return exit_usage;
}

}  // namespace par::core
