// par-local-backend: Datadog's side of private actions, on a developer's machine.

#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/parse_number.hpp"
#include "core/base/strings.hpp"
#include "plugin-api/devkit/local-backend/commands.hpp"

namespace {

using par::core::fail;
using par::core::parse_number;
using par::core::Result;
using namespace par::backend;

constexpr const char* k_help = R"(par-local-backend plays Datadog for a private action runner on this machine.

usage:
  par-local-backend start --dir DIR [options]       listen until SIGTERM, SIGINT or stop
  par-local-backend run --dir DIR FILE|-            queue a task, wait, print its outcome
  par-local-backend enqueue --dir DIR FILE|-        queue one task or an array of tasks, print the ids
  par-local-backend wait --dir DIR TASK             wait for a task's outcome and print it
  par-local-backend events --dir DIR                what the runner asked and what it was told
  par-local-backend stop --dir DIR                  end the backend of DIR

options of start:
  --allow FQN                put this action on the allowlist of DIR/config.yaml (may be repeated)
  --background               return as soon as the backend is ready
  --port N, --control-port N ports of the runner's and the control side (default: any free)
  --http                     plain HTTP instead of HTTPS
  --remote-config            config.yaml takes the keys from Remote Config instead of DIR/keys
  --key-type ed25519|rsa     type of the first signing key (default ed25519)
  --org N, --runner-id ID    the enrolled identity (first start only)
other options:
  --timeout SECONDS          for run and wait (default 60)
  --follow, --json           for events: go on; one JSON object a line

exit codes: 0 done, or the task succeeded; 1 it failed; 2 wrong usage; 3 no outcome in time

examples:
  par-local-backend start --dir /tmp/backend --allow com.datadoghq.http.request --background
  SSL_CERT_FILE=/tmp/backend/ca.pem DD_PRIVATE_RUNNER_CONFIG_DIR=/tmp/backend par-runner &
  echo '{"action": "com.datadoghq.http.request", "inputs": {"verb": "GET", "url": "http://127.0.0.1:8000/"}}' |
    par-local-backend run --dir /tmp/backend -
  par-local-backend run --dir /tmp/backend /tmp/backend/task.example.json

  a task that must be refused:
  {"action": "com.datadoghq.http.request", "overrides": {"damage_signature": true}}
)";

// Words of a command line: options with or without a value, and what is left.
class Arguments {
 public:
  explicit Arguments(std::vector<std::string> words) : words_(std::move(words)) {}

  void flag(const std::string& name, bool& value) {
    handlers_[name] = {false, [&value](const std::string&) -> Result<void> {
                         value = true;
                         return {};
                       }};
  }
  void option(const std::string& name, std::function<Result<void>(const std::string&)> set) {
    handlers_[name] = {true, std::move(set)};
  }

  /// Error: an unknown option (with the nearest known one), or one without its value.
  Result<std::vector<std::string>> parse() {
    std::vector<std::string> rest;
    for (size_t at = 0; at < words_.size(); ++at) {
      std::string word = words_[at];
      if (word.size() < 2 || word[0] != '-') {
        rest.push_back(word);
        continue;
      }
      std::string value;
      const size_t equals = word.find('=');
      const bool joined = equals != std::string::npos;
      if (joined) {
        value = word.substr(equals + 1);
        word.resize(equals);
      }
      const auto handler = handlers_.find(word);
      if (handler == handlers_.end()) return unknown(word);
      if (handler->second.takes_value && !joined) {
        if (++at == words_.size()) return fail(fmt::format("{} needs a value", word));
        value = words_[at];
      }
      if (auto done = handler->second.set(value); !done) return tl::unexpected(done.error());
    }
    return rest;
  }

 private:
  struct Option {
    bool takes_value = false;
    std::function<Result<void>(const std::string&)> set;
  };

  tl::unexpected<par::core::Error> unknown(const std::string& word) const {
    std::vector<std::string> names;
    for (const auto& [name, option] : handlers_) names.push_back(name);
    return fail(fmt::format("unknown option {}{}", word, par::core::did_you_mean(word, names)));
  }

  std::vector<std::string> words_;
  std::map<std::string, Option> handlers_;
};

template <typename Number>
std::function<Result<void>(const std::string&)> number_into(const std::string& name, Number& value) {
  return [name, &value](const std::string& text) -> Result<void> {
    const auto number = parse_number<Number>(text);
    if (!number) return fail(fmt::format("{} needs a whole number in range, not \"{}\"", name, text));
    value = *number;
    return {};
  };
}

int usage_error(const std::string& message) {
  complain(message + " (see par-local-backend --help)");
  return k_exit_usage;
}

int start_command(Arguments& arguments) {
  StartOptions options;
  int64_t org = 0;
  arguments.option("--dir", [&](const std::string& text) -> Result<void> {
    options.directory = text;
    return {};
  });
  arguments.option("--allow", [&](const std::string& text) -> Result<void> {
    options.allow.push_back(text);
    return {};
  });
  arguments.option("--runner-id", [&](const std::string& text) -> Result<void> {
    options.runner_id = text;
    return {};
  });
  arguments.option("--key-type", [&](const std::string& text) -> Result<void> {
    const auto type = parse_key_type(text);
    if (!type) return tl::unexpected(type.error());
    options.key_type = *type;
    return {};
  });
  arguments.option("--org", [&](const std::string& text) -> Result<void> {
    auto done = number_into("--org", org)(text);
    if (done) options.org_id = org;
    return done;
  });
  arguments.option("--port", number_into("--port", options.port));
  arguments.option("--control-port", number_into("--control-port", options.control_port));
  arguments.flag("--http", options.plain_http);
  arguments.flag("--remote-config", options.remote_config);
  arguments.flag("--background", options.background);
  const auto rest = arguments.parse();
  if (!rest) return usage_error(rest.error().message);
  if (!rest->empty()) return usage_error(fmt::format("start takes no argument \"{}\"", rest->front()));
  if (options.directory.empty()) return usage_error("--dir is missing");
  return start(std::move(options));
}

int client_command(const std::string& name, Arguments& arguments) {
  struct Command {
    int (*call)(const ClientOptions&);
    const char* argument;  // what it must be given; null: nothing
  };
  static const std::map<std::string, Command> commands = {{"enqueue", {enqueue, "a file with a task, or -"}},
                                                          {"run", {run, "a file with a task, or -"}},
                                                          {"wait", {wait, "the id of a task"}},
                                                          {"events", {events, nullptr}},
                                                          {"stop", {stop, nullptr}}};
  const auto command = commands.find(name);
  if (command == commands.end()) {
    std::vector<std::string> names = {"start"};
    for (const auto& [known, ignored] : commands) names.push_back(known);
    return usage_error(fmt::format("unknown command {}{}", name, par::core::did_you_mean(name, names)));
  }
  ClientOptions options;
  arguments.option("--dir", [&](const std::string& text) -> Result<void> {
    options.directory = text;
    return {};
  });
  arguments.option("--timeout", number_into("--timeout", options.timeout_s));
  arguments.flag("--follow", options.follow);
  arguments.flag("--json", options.json);
  const auto rest = arguments.parse();
  if (!rest) return usage_error(rest.error().message);
  if (options.directory.empty()) return usage_error("--dir is missing");
  const size_t wanted = command->second.argument == nullptr ? 0 : 1;
  if (rest->size() > wanted)
    return usage_error(fmt::format("{} takes no argument \"{}\"", name, rest->back()));
  if (rest->size() < wanted) return usage_error(fmt::format("{} needs {}", name, command->second.argument));
  if (wanted == 1) options.argument = rest->front();
  return command->second.call(options);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return usage_error("a command is missing");
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h" || word == "help") {
      std::fputs(k_help, stdout);
      return k_exit_success;
    }
  }
  Arguments arguments({words.begin() + 1, words.end()});
  try {
    return words.front() == "start" ? start_command(arguments) : client_command(words.front(), arguments);
  } catch (const std::exception& failure) {
    return complain(failure.what());
  }
}
