#include "core/telemetry/metrics.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/telemetry/prometheus.hpp"

namespace par::core {
namespace {

// The names that Datadog keeps for private action runners.
constexpr std::string_view k_prefix = "datadog.actions.private_runner.";
constexpr std::array<const char*, 2> k_results{"error", "success"};

double seconds(Milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

// A tag may not hold what separates tags and datagrams.
std::string clean_tag(std::string tag) {
  for (char& c : tag) {
    if (c == ',' || c == '|' || c == '#' || static_cast<unsigned char>(c) < ' ') c = '_';
  }
  return tag;
}

}  // namespace

Metrics::Metrics(Settings settings) : keep_(settings.keep) {
  if (!settings.dogstatsd) return;
  dogstatsd_.emplace(std::move(*settings.dogstatsd));
  for (std::string& tag : settings.tags) {
    tags_ += ',';
    tags_ += clean_tag(std::move(tag));
  }
}

Metrics::Series& Metrics::series(const Execution& execution) {
  return series_[std::pair(std::string(execution.action_fqn), std::string(execution.client))];
}

void Metrics::execution_started(const Execution& execution) {
  if (dogstatsd_) {
    dogstatsd_->send(fmt::format("{}executions.started:1|c|#action_client:{},action_fqn:{}{}", k_prefix,
                                 execution.client, execution.action_fqn, tags_));
  }
  if (!keep_) return;
  const std::lock_guard lock(mutex_);
  ++series(execution).started;
}

void Metrics::execution_completed(const Execution& execution, bool success, Milliseconds duration) {
  if (dogstatsd_) {
    const std::string tags =
        fmt::format("|#action_client:{},action_fqn:{},execution_result:{}{}", execution.client,
                    execution.action_fqn, k_results.at(success), tags_);
    dogstatsd_->send(fmt::format("{0}executions.completed:1|c{1}\n{0}executions.latency:{2}|ms{1}", k_prefix,
                                 tags, duration.count()));
  }
  if (!keep_) return;
  const auto bucket = static_cast<size_t>(
      std::lower_bound(k_bucket_seconds.begin(), k_bucket_seconds.end(), seconds(duration)) -
      k_bucket_seconds.begin());
  const std::lock_guard lock(mutex_);
  Ended& ended = series(execution).ended.at(success);
  ++ended.count;
  ended.seconds += seconds(duration);
  if (bucket < ended.within.size()) ++ended.within.at(bucket);
}

void Metrics::task_refused(int error_code) {
  if (!keep_) return;
  const std::lock_guard lock(mutex_);
  ++refused_[error_code];
}

void Metrics::keys_arrived(Milliseconds after) {
  if (dogstatsd_) {
    dogstatsd_->send(fmt::format("{}keys_manager.startup_latency:{}|ms{}{}", k_prefix, after.count(),
                                 tags_.empty() ? "" : "|#",
                                 tags_.empty() ? std::string_view() : std::string_view(tags_).substr(1)));
  }
  const std::lock_guard lock(mutex_);
  keys_after_ = after;
}

std::string Metrics::prometheus(const Moment& moment) const {
  const std::lock_guard lock(mutex_);
  PrometheusText text;
  text.family("par_runner_info", "gauge", "The version of this runner.");
  text.sample("par_runner_info", {{"version", moment.version}}, 1);
  text.family("par_runner_ready", "gauge", "Whether the runner takes tasks, as /readiness says.");
  text.sample("par_runner_ready", {}, moment.ready ? 1 : 0);
  text.family("par_runner_slots", "gauge", "How many actions may run at once.");
  text.sample("par_runner_slots", {}, static_cast<double>(moment.slots));
  uint64_t running = 0;
  for (const auto& [key, one] : series_) running += one.started - one.ended[0].count - one.ended[1].count;
  text.family("par_runner_running_executions", "gauge", "Actions that run now.");
  text.sample("par_runner_running_executions", {}, static_cast<double>(running));
  if (keys_after_) {
    text.family("par_runner_keys_startup_latency_seconds", "gauge",
                "How long after the start the first signing keys arrived.");
    text.sample("par_runner_keys_startup_latency_seconds", {}, seconds(*keys_after_));
  }
  if (!refused_.empty()) {
    text.family("par_runner_refused_tasks_total", "counter",
                "Tasks that failed before their action was called, by the error code that was published.");
    for (const auto& [code, count] : refused_) {
      text.sample("par_runner_refused_tasks_total", {{"error_code", std::to_string(code)}},
                  static_cast<double>(count));
    }
  }
  if (series_.empty()) return text.text();

  text.family("par_runner_executions_started_total", "counter", "Actions that were called.");
  for (const auto& [key, one] : series_) {
    text.sample("par_runner_executions_started_total",
                {{"action_fqn", key.first}, {"action_client", key.second}}, static_cast<double>(one.started));
  }
  text.family("par_runner_execution_duration_seconds", "histogram",
              "How long actions ran that have ended; its count is the number of them.");
  for (const auto& [key, one] : series_) {
    for (size_t result = 0; result < k_results.size(); ++result) {
      const Ended& ended = one.ended.at(result);
      if (ended.count == 0) continue;
      uint64_t within = 0;
      for (size_t at = 0; at <= k_bucket_seconds.size(); ++at) {
        const bool last = at == k_bucket_seconds.size();
        within = last ? ended.count : within + ended.within.at(at);
        text.sample("par_runner_execution_duration_seconds_bucket",
                    {{"action_fqn", key.first},
                     {"action_client", key.second},
                     {"execution_result", k_results.at(result)},
                     {"le", last ? std::string("+Inf") : fmt::format("{}", k_bucket_seconds.at(at))}},
                    static_cast<double>(within));
      }
      for (const auto& [suffix, value] :
           {std::pair("_sum", ended.seconds), std::pair("_count", static_cast<double>(ended.count))}) {
        text.sample("par_runner_execution_duration_seconds" + std::string(suffix),
                    {{"action_fqn", key.first},
                     {"action_client", key.second},
                     {"execution_result", k_results.at(result)}},
                    value);
      }
    }
  }
  return text.text();
}

}  // namespace par::core
