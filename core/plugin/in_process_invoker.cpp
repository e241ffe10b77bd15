#include "core/plugin/in_process_invoker.hpp"

#include <future>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/plugin/catalog.hpp"
#include "core/plugin/hosted_plugin.hpp"
#include "core/plugin/in_process_call.hpp"

namespace par::core {
namespace {

/// Plugins whose code may still run: never destroyed.
void keep_for_ever(std::vector<std::shared_ptr<HostedPlugin>> plugins) {
  static auto& mutex = *new std::mutex;
  static auto& kept = *new std::vector<std::shared_ptr<HostedPlugin>>;
  const std::lock_guard lock(mutex);
  std::move(plugins.begin(), plugins.end(), std::back_inserter(kept));
}

}  // namespace

InProcessInvoker::InProcessInvoker(const Catalog& catalog, const std::map<std::string, std::string>& settings,
                                   ServiceLookup services, const Log& log, Redactor& redactor,
                                   InvokerLimits limits)
    : catalog_(catalog),
      context_(new PluginContext{
          {settings.begin(), settings.end()}, std::move(services), log, redactor, limits, {}, {}}) {}

InProcessInvoker::~InProcessInvoker() {
  shutdown();
  context_->watchdog.stop();
}

size_t InProcessInvoker::abandoned() const {
  return context_->abandoned;
}

std::shared_ptr<HostedPlugin> InProcessInvoker::plugin(std::string_view plugin_namespace) {
  const std::lock_guard lock(mutex_);
  if (const auto known = plugins_.find(plugin_namespace); known != plugins_.end()) return known->second;
  const CatalogEntry* const entry = catalog_.find(plugin_namespace);
  if (entry == nullptr || !entry->manifest) return nullptr;
  return plugins_.emplace(plugin_namespace, std::make_shared<HostedPlugin>(context_, *entry)).first->second;
}

std::shared_ptr<Invoker::Call> InProcessInvoker::prepare(Invocation invocation, Done done) {
  auto found = plugin(invocation.plugin_namespace);
  std::string problem;
  if (found == nullptr) {
    const CatalogEntry* const entry = catalog_.find(invocation.plugin_namespace);
    problem = entry == nullptr
                  ? fmt::format("no plugin library for {} is installed", invocation.plugin_namespace)
                  : entry->manifest.error().message;
  }
  return std::make_shared<InProcessCall>(context_, std::move(found), std::move(problem),
                                         std::move(invocation), std::move(done));
}

void InProcessInvoker::shutdown() {
  std::vector<std::shared_ptr<HostedPlugin>> plugins;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, plugin] : plugins_) plugins.push_back(plugin);
  }
  if (plugins.empty()) return;
  // A library may hang in close, too: that happens on a thread that can be left behind.
  auto closed = std::make_shared<std::promise<void>>();
  auto done = closed->get_future();
  std::thread([plugins = std::move(plugins), closed] {
    std::vector<std::shared_ptr<HostedPlugin>> alive;
    for (const auto& plugin : plugins) {
      if (!plugin->shut_down()) alive.push_back(plugin);
    }
    keep_for_ever(std::move(alive));
    closed->set_value();
  }).detach();
  done.wait_for(context_->limits.grace);
}

}  // namespace par::core
