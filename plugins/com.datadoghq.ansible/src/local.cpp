#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "callback_output.hpp"
#include "caller_texts.hpp"
#include "extra_vars.hpp"
#include "modes.hpp"
#include "paths.hpp"

namespace ansible_plugin {
namespace {

constexpr uint64_t k_max_output = 10u << 20;
constexpr uint64_t k_max_errors = 256u << 10;
constexpr size_t k_reported_output = 1u << 20;
constexpr size_t k_shown_errors = 2000;
constexpr std::string_view k_json_callback = "ansible.posix.json";
constexpr std::string_view k_default_callback = "ansible.builtin.default";

// The program's own directory comes first, so that what belongs to it is found there.
std::string search_path(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::string result = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  const std::filesystem::path file(program);
  if (file.has_parent_path()) result.insert(0, file.parent_path().native() + ":");
  return result;
}

class LocalRun {
 public:
  LocalRun(const Inputs& inputs, const par::Connection& connection, const Settings& settings, par::Call& call)
      : inputs_(inputs), settings_(settings), call_(call), directory_(connection.require("playbookDir")) {
    if (!settings.allow_local) {
      throw par::Error(
          "the connection asks for ansible-playbook on the runner's machine, which the runner's "
          "configuration does not "
          "allow; its operator can set plugins: {com.datadoghq.ansible: {allowLocal: true}} in config.yaml");
    }
    if (inputs.wait == false)
      throw par::Error("waitForCompletion: a local run is always waited for; leave the input out");
    collect_arguments(connection);
  }

  Report run() {
    const auto begun = std::chrono::steady_clock::now();
    Report report;
    report.mode = "local";
    report.started_at = now_rfc3339();
    par::Finished finished = start(k_json_callback);
    if (callback_is_missing(finished)) finished = start(k_default_callback);  // nothing has run
    report.finished_at = now_rfc3339();
    report.duration_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun)
            .count();
    report.exit_code = finished.exit_code;
    CallbackOutput output = read_callback_output(finished.output);
    if (finished.exit_code != 0 || finished.term_signal != 0) fail(finished, output);
    report.status = "successful";
    report.hosts = std::move(output.hosts);
    const std::string_view shown = tail(output.text, k_reported_output);
    report.output_truncated = finished.dropped_stdout > 0 || shown.size() < output.text.size();
    report.output = shown;
    return report;
  }

 private:
  void collect_arguments(const par::Connection& connection) {
    const auto option = [&](std::string_view name, std::string_view value) {
      if (!value.empty()) arguments_.push_back(std::string(name) + "=" + std::string(value));
    };
    const auto token = [&](std::string_view name) {
      const auto* const value = connection.token(name);
      return value == nullptr ? std::string_view() : *value;
    };
    if (inputs_.inventory.empty()) {
      option("--inventory", token("inventory"));
    } else if (inputs_.inventory.ends_with(',')) {
      require_host_list(inputs_.inventory);
      option("--inventory", inputs_.inventory);
    } else {
      option("--inventory", path_below(directory_, inputs_.inventory, "inventory").native());
    }
    require_host_pattern(inputs_.limit);
    option("--limit", inputs_.limit);
    option("--tags", comma_joined(inputs_.tags));
    option("--skip-tags", comma_joined(inputs_.skip_tags));
    option("--vault-password-file", token("vaultPasswordFile"));
    option("--private-key", token("privateKeyFile"));
    option("--user", token("user"));
    if (inputs_.check) arguments_.emplace_back("--check");
    if (inputs_.verbosity > 0)
      arguments_.push_back("-" + std::string(static_cast<size_t>(inputs_.verbosity), 'v'));
    if (inputs_.extra_vars != nullptr) {
      require_data_names(*inputs_.extra_vars);
      option("--extra-vars", "@" + private_.write("extra-vars.yml", unsafe_yaml(*inputs_.extra_vars)));
    }
    arguments_.push_back(path_below(directory_, inputs_.playbook, "playbook").native());
  }

  par::Finished start(std::string_view callback) const {
    par::Command command = call_.process().command(settings_.program);
    for (const std::string& argument : arguments_) command.arg(argument);
    command.directory(directory_).overflow(par::Command::Overflow::tail, k_max_output, k_max_errors);
    const std::pair<std::string_view, std::string> variables[] = {
        {"PATH", search_path(settings_.program)},
        {"HOME", private_.path()},
        {"TMPDIR", private_.path()},
        {"LANG", "C.UTF-8"},
        {"ANSIBLE_NOCOLOR", "1"},
        {"ANSIBLE_RETRY_FILES_ENABLED", "0"},
        {"ANSIBLE_STDOUT_CALLBACK", std::string(callback)}};
    for (const auto& [name, value] : variables) {
      const bool replaced = std::any_of(settings_.environment.begin(), settings_.environment.end(),
                                        [&](const auto& setting) { return setting.first == name; });
      if (!replaced) command.env(name, value);
    }
    for (const auto& [name, value] : settings_.environment) command.env(name, value);
    try {
      return command.run();
    } catch (const par::Error& error) {
      if (error.status() == PAR_SPAWN) {
        throw par::Error(error.message() +
                         "; install ansible-core on the runner's machine, or set ansiblePlaybook under "
                         "plugins: com.datadoghq.ansible in config.yaml");
      }
      if (error.status() == PAR_DEADLINE || error.status() == PAR_CANCELLED) {
        throw par::Error(
            error.status(),
            "ansible-playbook and everything that it had started on this machine were ended; hosts may "
            "be left half done");
      }
      throw;
    }
  }

  static bool callback_is_missing(const par::Finished& finished) {
    return finished.exit_code == 1 && finished.output.empty() &&
           finished.error.find(k_json_callback) != std::string::npos &&
           finished.error.find("callback") != std::string::npos;
  }

  [[noreturn]] static void fail(const par::Finished& finished, const CallbackOutput& output) {
    const std::string how = finished.term_signal != 0
                                ? "was ended by signal " + std::to_string(finished.term_signal)
                                : "ended with exit code " + std::to_string(finished.exit_code);
    std::string why = failed_hosts(output.hosts);
    if (why.empty()) why = tail(finished.error.empty() ? output.text : finished.error, k_shown_errors);
    throw par::Error("ansible-playbook " + how + (why.empty() ? "" : ": " + why));
  }

  const Inputs& inputs_;
  const Settings& settings_;
  par::Call& call_;
  std::string directory_;
  PrivateDirectory private_;
  std::vector<std::string> arguments_;
};

}  // namespace

Report run_locally(const Inputs& inputs, const par::Connection& connection, const Settings& settings,
                   par::Call& call) {
  return LocalRun(inputs, connection, settings, call).run();
}

}  // namespace ansible_plugin
