#include "core/cli/invoke.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/cli/arguments.hpp"
#include "core/cli/exit_code.hpp"
#include "core/config/config.hpp"
#include "core/credentials/connection.hpp"
#include "core/credentials/connection_file.hpp"
#include "core/dispatch/plugin_setup.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/in_process_invoker.hpp"
#include "core/plugin/inputs.hpp"
#include "core/policy/allowlist.hpp"
#include "core/services/http_client.hpp"
#include "core/services/process/process_service.hpp"
#include "core/services/services.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_inputs = 16u << 20;
// Stands for the ids that Datadog would give the task and its connection.
constexpr const char* k_id = "invoke";

int refuse(const std::string& text) {
  std::fputs(fmt::format("par-runner: {}\n", text).c_str(), stderr);
  return exit_failed;
}

// An action's full name in its two parts.
struct ActionName {
  std::string plugin_namespace;
  std::string name;
};

Result<ActionName> split(const std::string& full) {
  const size_t dot = full.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == full.size()) {
    return fail(
        fmt::format("\"{}\" is no action; expected a full name such as com.datadoghq.http.request", full));
  }
  return ActionName{full.substr(0, dot), full.substr(dot + 1)};
}

Result<Invocation> make_invocation(const Arguments& arguments, const Config& config, const Catalog& catalog,
                                   const CredentialResolver& credentials) {
  const auto name = split(arguments.action);
  if (!name) return tl::unexpected(name.error());
  const CatalogEntry* const entry = catalog.find(name->plugin_namespace);
  if (entry == nullptr) {
    return fail(fmt::format("no plugin directory has {}.so (--list-actions prints what there is)",
                            name->plugin_namespace));
  }
  if (!entry->manifest) return tl::unexpected(entry->manifest.error());
  const ActionManifest* const action = entry->manifest->find_action(name->name);
  if (action == nullptr) {
    return fail(
        fmt::format("{} has no action {} (--list-actions prints them)", entry->file.native(), name->name));
  }
  auto text = read_file(arguments.inputs, k_max_inputs);
  if (!text) return tl::unexpected(text.error());
  auto inputs = prepare_inputs(std::move(*text), *action->input);
  if (!inputs) return fail_in(arguments.inputs.native(), inputs);
  Result<ConnectionInfo> info;
  if (!arguments.connection.empty()) info = read_connection_file(arguments.connection, k_id);
  if (!info) return tl::unexpected(info.error());
  std::vector<TokenRule> rules;
  for (const TokenManifest& token : entry->manifest->tokens) rules.push_back({token.name, token.secret});
  auto connection = credentials.resolve(*info, rules);
  if (!connection) return fail(std::move(connection.error().message));

  Invocation invocation;
  invocation.plugin_namespace = name->plugin_namespace;
  invocation.action = name->name;
  invocation.task_id = k_id;
  invocation.inputs_json = std::move(inputs->json);
  invocation.connection_json = connection->json();
  invocation.writes = action->writes;
  invocation.time_limit = inputs->time_limit ? inputs->time_limit : config.task_timeout;
  invocation.keep_alive = std::make_shared<ResolvedConnection>(std::move(*connection));
  return invocation;
}

void tell_allowlist(const Config& config, const std::string& full) {
  const size_t dot = full.rfind('.');
  const bool allowed =
      ActionsAllowlist(config.actions_allowlist).allows(full.substr(0, dot), full.substr(dot + 1));
  std::fputs(
      allowed ? fmt::format("actionsAllowlist: allows {}\n", full).c_str()
              : fmt::format("actionsAllowlist: does not allow {0}; a task would be refused. To allow it, add "
                            "\"{0}\"\n",
                            full)
                    .c_str(),
      stderr);
}

int print(const Outcome& outcome) {
  if (const auto* success = std::get_if<Success>(&outcome)) {
    std::fputs((success->publish_body + "\n").c_str(), stdout);
    return exit_ok;
  }
  const auto& failure = std::get<Failure>(outcome);
  std::fputs(
      fmt::format(
          "failed with error code {}\nfor those who run the runner: {}\nfor the user of the workflow: {}\n",
          static_cast<int>(failure.code), failure.message,
          failure.display.empty() ? failure.message : failure.display)
          .c_str(),
      stderr);
  return exit_failed;
}

}  // namespace

int invoke(const Arguments& arguments, const Config& config, const Log& log, Redactor& redactor) {
  std::signal(SIGPIPE, SIG_IGN);
  // Nothing of this is destroyed: a plugin that hangs may come back to it until the process ends.
  auto& catalog = *new Catalog(Catalog::scan(config.plugins_directories, config.plugin_hashes));
  if (const auto fits = check_plugin_settings(config, catalog); !fits) return refuse(fits.error().message);
  auto trust = TrustStore::load({config.certificate_directories, config.certificate_file});
  if (!trust) return refuse(trust.error().message);
  auto egress = egress_settings(config);
  if (!egress) return refuse(egress.error().message);
  auto& reach = *new EgressSettings(std::move(*egress));
  auto& io = *new boost::asio::io_context(1);
  auto& http = *new HttpClient(io, *trust, {config.http_proxy, config.https_proxy, config.no_proxy}, log);
  auto& processes = *new ProcessService(supervisor_program(), log);
  auto& services = *new Services(http, *trust, reach, {config.http_timeout, processes.table()});
  auto& invoker = *new InProcessInvoker(
      catalog, config.plugin_settings, [&services](std::string_view id) { return services.find(id); }, log,
      redactor, invoker_limits(config));
  // A task's relative paths are meant from the configuration's directory, a connection file's from its own.
  const CredentialResolver credentials(arguments.connection.parent_path(), redactor, log);
  auto invocation = make_invocation(arguments, config, catalog, credentials);
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
  if (!invocation) return refuse(invocation.error().message);
  tell_allowlist(config, arguments.action);

  const auto result = std::make_shared<int>(exit_failed);
  const auto call = invoker.prepare(std::move(*invocation), [result](const Outcome& outcome, bool given_up) {
    const int code = print(outcome);
    std::fflush(nullptr);
    // The thread inside run() does not come back.
    if (given_up) ::_exit(code);
    *result = code;
  });
  call->run();
  invoker.shutdown();
  // Threads of the plugin may go on: nothing is torn down under them.
  ::_exit(*result);
}

}  // namespace par::core
