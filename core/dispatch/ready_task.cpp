#include "core/dispatch/ready_task.hpp"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/credentials/connection.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/inputs.hpp"

namespace par::core {
namespace {

using Refused = tl::unexpected<Failure>;

Refused refuse(ErrorCode code, std::string message) {
  return Refused(Failure{code, std::move(message), {}});
}

std::string missing_library(const std::string& bundle, const Catalog& catalog) {
  std::vector<std::string> directories;
  for (const auto& directory : catalog.directories()) directories.push_back(directory.string());
  return fmt::format(
      "This runner has no plugin for \"{0}\". Install the package that contains {0}.so, or put that file "
      "into a plugin "
      "directory (looked in: {1}), and restart the runner.",
      bundle, directories.empty() ? "none is configured" : fmt::format("{}", fmt::join(directories, ", ")));
}

}  // namespace

Result<ReadyTask, Failure> make_ready(AllowedTask&& allowed, const ReadyContext& context) {
  VerifiedTask& task = allowed.task();
  const std::string& bundle = task.bundle_id();
  const CatalogEntry* const entry = context.catalog.find(bundle);
  if (entry == nullptr) return refuse(ErrorCode::internal_error, missing_library(bundle, context.catalog));
  if (!entry->manifest) {
    return refuse(ErrorCode::internal_error,
                  fmt::format("The plugin library {} cannot be used: {}", entry->file.string(),
                              entry->manifest.error().message));
  }
  const Manifest& manifest = *entry->manifest;
  const ActionManifest* const action = manifest.find_action(task.action_name());
  if (action == nullptr) {
    return refuse(ErrorCode::internal_error,
                  fmt::format("The plugin {} {} has no action \"{}\"; a newer version of it may.", bundle,
                              manifest.version, task.action_name()));
  }
  auto inputs = prepare_inputs(task.take_inputs_json(), *action->input);
  if (!inputs) return refuse(ErrorCode::action_error, std::move(inputs.error().message));

  std::vector<TokenRule> rules;
  rules.reserve(manifest.tokens.size());
  for (const TokenManifest& token : manifest.tokens) rules.push_back({token.name, token.secret});
  auto connection = context.credentials.resolve(task.connection(), rules);
  if (!connection) return Refused(std::move(connection.error()));

  Invocation invocation;
  invocation.plugin_namespace = bundle;
  invocation.action = task.action_name();
  invocation.task_id = task.address().task_id;
  invocation.inputs_json = std::move(inputs->json);
  invocation.connection_json = connection->json();
  invocation.sec_datadog_header = task.sec_datadog_header();
  invocation.writes = action->writes;
  invocation.time_limit = inputs->time_limit ? inputs->time_limit : context.task_timeout;
  invocation.frame = success_frame(task.address());
  invocation.keep_alive = std::make_shared<ResolvedConnection>(std::move(*connection));
  return ReadyTask(std::move(invocation));
}

}  // namespace par::core
