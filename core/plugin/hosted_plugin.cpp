#include "core/plugin/hosted_plugin.hpp"

#include <algorithm>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "core/plugin/call.hpp"
#include "core/plugin/inputs.hpp"
#include "core/plugin/loader.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

par_str borrow(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

HostedPlugin::HostedPlugin(std::shared_ptr<PluginContext> context, const CatalogEntry& entry)
    : context_(std::move(context)), entry_(entry), manifest_(*entry.manifest), host_(make_host(this)) {}

par_host HostedPlugin::make_host(HostedPlugin* self) {
  par_host host{};
  host.struct_size = sizeof host;
  host.abi_minor = PAR_ABI_MINOR;
  host.host_data = self;
  host.name = borrow("par-runner");
  host.version = borrow(PAR_VERSION);
  host.log = [](const par_host* h, const par_call* call, int32_t level, par_str message) {
    try {
      static_cast<const HostedPlugin*>(h->host_data)->log_line(call, level, message);
    } catch (const std::exception&) {  // out of memory: the line is lost
    }
  };
  host.secret = [](const par_host* h, par_bytes value) {
    if (value.ptr == nullptr) return;
    try {
      static_cast<const HostedPlugin*>(h->host_data)
          ->context_->redactor.add_forever({reinterpret_cast<const char*>(value.ptr), value.len});
    } catch (const std::exception&) {  // out of memory
    }
  };
  host.service = [](const par_host* h, const char* id) {
    return static_cast<const HostedPlugin*>(h->host_data)->service(id);
  };
  return host;
}

void HostedPlugin::log_line(const par_call* call, int32_t level, par_str message) const {
  const auto log_level = static_cast<LogLevel>(std::clamp<int32_t>(level, PAR_LOG_DEBUG, PAR_LOG_ERROR));
  if (!context_->log.enabled(log_level) || message.ptr == nullptr) return;
  LogFields fields{{"plugin", manifest_.plugin_namespace}};
  if (call != nullptr) {
    const CallSubject& subject = static_cast<const PluginCall&>(CallScope::of(call)).subject();
    if (!subject.task_id.empty()) {
      fields.emplace_back("action", subject.action);
      fields.emplace_back("task_id", subject.task_id);
    }
  }
  context_->log.write(log_level, presentable(context_->redactor, {message.ptr, message.len}), fields);
}

const void* HostedPlugin::service(const char* id) const {
  if (id == nullptr) return nullptr;
  const auto& listed = manifest_.services;
  if (std::find(listed.begin(), listed.end(), id) == listed.end()) return nullptr;
  return context_->services ? context_->services(id) : nullptr;
}

Result<void> HostedPlugin::enter(const std::atomic<bool>& interrupted) {
  std::unique_lock lock(mutex_);
  uint64_t awaited = 0;
  while (!interrupted) {
    switch (state_) {
      case State::failed:
        if (awaited == attempt_ || std::chrono::steady_clock::now() < retry_at_) return fail(problem_);
        [[fallthrough]];
      case State::idle:
        start_opening();
        [[fallthrough]];
      case State::opening:
        awaited = attempt_;
        break;
      case State::hanging:
        return fail(problem_);
      case State::shut:
        return fail("the runner is stopping; the task was not started");
      case State::open:
        if (abandoned_ >= lost_places_bound()) {
          return fail(
              fmt::format("plugin {}: its library hangs: {} call(s) did not return; restart the runner",
                          manifest_.plugin_namespace, abandoned_));
        }
        if (manifest_.max_concurrency == 0 || inside_ < manifest_.max_concurrency) {
          ++inside_;
          return {};
        }
        break;
    }
    if (state_ != State::failed) changed_.wait(lock);
  }
  return fail("");
}

size_t HostedPlugin::lost_places_bound() const {
  return manifest_.max_concurrency != 0 ? manifest_.max_concurrency : context_->limits.pool_size;
}

void HostedPlugin::leave(bool was_abandoned) {
  const std::lock_guard lock(mutex_);
  --inside_;
  if (was_abandoned) --abandoned_;
  if (manifest_.max_concurrency != 0) changed_.notify_all();
}

void HostedPlugin::add_abandoned() {
  const std::lock_guard lock(mutex_);
  ++abandoned_;
  changed_.notify_all();
}

void HostedPlugin::wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

// A library is opened on a thread of its own, so that the tasks that wait for it, the first one too, can be
// cancelled without losing their threads.
void HostedPlugin::start_opening() {
  ++attempt_;
  state_ = State::opening;
  try {
    std::thread([self = shared_from_this(), attempt = attempt_] { self->open(attempt); }).detach();
  } catch (const std::system_error& error) {
    state_ = State::failed;
    retry_at_ = std::chrono::steady_clock::now() + context_->limits.reopen_delay;
    problem_ =
        fmt::format("plugin {} cannot be opened: no thread: {}", manifest_.plugin_namespace, error.what());
  }
}

void HostedPlugin::open(uint64_t attempt) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + context_->limits.open_limit;
  const auto call = std::make_shared<PluginCall>(CallSubject{manifest_.plugin_namespace, "", "", ""},
                                                 deadline, nullptr, 0, context_->log, context_->redactor);
  const auto cancel = context_->watchdog.at(deadline, [call] { call->cancel(); });
  const auto give_up =
      context_->watchdog.at(deadline + context_->limits.grace,
                            [self = shared_from_this(), attempt] { self->opening_hangs(attempt); });
  auto instance = load_and_open(*call);
  context_->watchdog.forget(cancel);
  context_->watchdog.forget(give_up);
  opening_ended(attempt, std::move(instance));
}

Result<par_instance*> HostedPlugin::load_and_open(PluginCall& call) {
  const auto found = context_->settings.find(manifest_.plugin_namespace);
  const std::string settings = found == context_->settings.end() ? "{}" : found->second;
  const par_plugin* table = nullptr;
  par_instance* instance = nullptr;
  par_status status = PAR_INTERNAL;
  Result<void> problem;
  if (auto valid = check_settings(manifest_, settings); !valid) {
    problem = std::move(valid);
  } else if (auto loaded = load_plugin(entry_); !loaded) {
    problem = tl::unexpected(loaded.error());
  } else {
    table = *loaded;
    try {
      status = table->open(&host_, borrow(settings), call.abi(), &instance);
    } catch (const std::exception& error) {
      call.misbehaviour(std::string("open threw an exception: ") + error.what());
    } catch (...) {
      call.misbehaviour("open threw an exception");
    }
  }
  const PluginCall::Report report = call.finish();
  if (!problem) return tl::unexpected(problem.error());
  if (status != PAR_OK) {
    return fail(report.message.empty() ? fmt::format("no reason given (status {})", status) : report.message);
  }
  const std::lock_guard lock(mutex_);
  table_ = table;
  return instance;
}

void HostedPlugin::opening_ended(uint64_t attempt, Result<par_instance*> instance) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::opening || attempt_ != attempt) {
    context_->log.warn("a library that was given up came back from open",
                       {{"plugin", manifest_.plugin_namespace}});
    return;
  }
  if (instance) {
    state_ = State::open;
    instance_ = *instance;
  } else {
    state_ = State::failed;
    retry_at_ = std::chrono::steady_clock::now() + context_->limits.reopen_delay;
    problem_ =
        fmt::format("plugin {} cannot be opened: {}", manifest_.plugin_namespace, instance.error().message);
    context_->log.error(problem_, {{"plugin", manifest_.plugin_namespace}});
  }
  changed_.notify_all();
}

void HostedPlugin::opening_hangs(uint64_t attempt) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::opening || attempt_ != attempt) return;
  state_ = State::hanging;
  problem_ =
      fmt::format("plugin {}: its library hangs while it is opened and is used no more; restart the runner",
                  manifest_.plugin_namespace);
  context_->log.error(problem_, {{"plugin", manifest_.plugin_namespace}});
  changed_.notify_all();
}

bool HostedPlugin::shut_down() {
  std::unique_lock lock(mutex_);
  const State before = state_;
  const bool may_close = before == State::open && inside_ == 0;
  if (before != State::hanging) state_ = State::shut;
  changed_.notify_all();
  if (!may_close) return before == State::idle || before == State::failed || before == State::shut;
  lock.unlock();
  try {
    table_->close(instance_);
  } catch (...) {
    context_->log.warn("plugin misbehaviour: close threw an exception",
                       {{"plugin", manifest_.plugin_namespace}});
  }
  return true;
}

}  // namespace par::core
