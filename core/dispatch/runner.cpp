#include "core/dispatch/runner.hpp"

#include <atomic>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "core/channel/asio_timers.hpp"
#include "core/channel/control_client.hpp"
#include "core/channel/health_check.hpp"
#include "core/credentials/connection.hpp"
#include "core/dispatch/banner.hpp"
#include "core/dispatch/dispatcher.hpp"
#include "core/dispatch/health.hpp"
#include "core/dispatch/key_source.hpp"
#include "core/dispatch/key_watch.hpp"
#include "core/dispatch/memory.hpp"
#include "core/dispatch/plugin_setup.hpp"
#include "core/dispatch/stop_sequence.hpp"
#include "core/identity/identity.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/in_process_invoker.hpp"
#include "core/services/http_client.hpp"
#include "core/services/process/process_service.hpp"
#include "core/services/services.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/local_server.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/metrics.hpp"
#include "core/telemetry/redactor.hpp"
#include "core/verify/keys.hpp"

namespace asio = boost::asio;

namespace par::core {
namespace {

constexpr Milliseconds k_tick{10'000};

// What has to be read and checked before anything can run.
struct Parts {
  RunnerUrn urn;
  PrivateKey key;
  std::shared_ptr<TrustStore> trust;
  EgressSettings egress;
  Catalog catalog;
};

Result<Parts> read_parts(const Config& config, Redactor& redactor) {
  auto urn = RunnerUrn::parse(config.urn);
  if (!urn) return fail_in("urn", urn);
  redactor.add_forever(config.private_key.reveal());
  auto key = PrivateKey::from_config(config.private_key.reveal());
  if (!key) return fail_in("privateKey", key);
  auto trust = TrustStore::load({config.certificate_directories, config.certificate_file});
  if (!trust) return tl::unexpected(trust.error());
  auto egress = egress_settings(config);
  if (!egress) return tl::unexpected(egress.error());
  Catalog catalog = Catalog::scan(config.plugins_directories, config.plugin_hashes);
  if (auto checked = check_plugin_settings(config, catalog); !checked) return tl::unexpected(checked.error());
  return Parts{std::move(*urn), std::move(*key), std::move(*trust), std::move(*egress), std::move(catalog)};
}

// The keys of the moment, written by the control thread and read by workers.
class CurrentKeys {
 public:
  void set(std::shared_ptr<const KeySet> keys) {
    const std::lock_guard lock(mutex_);
    keys_.swap(keys);
  }
  std::shared_ptr<const KeySet> get() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeySet> keys_ = std::make_shared<KeySet>();
};

Pacing::Settings pacing_settings(const ChannelTuning& tuning) {
  return {tuning.loop_interval, tuning.min_backoff, tuning.max_backoff, tuning.max_attempts,
          tuning.wait_before_retry};
}

std::function<double()> random_source() {
  return [generator = std::minstd_rand(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
  };
}

void set_log_fields(Log& log, const Config& config, const RunnerUrn& urn) {
  std::vector<std::pair<std::string, std::string>> fields{
      {"runner_id", urn.runner_id},
      {"runner_version", PAR_VERSION},
      {"modes", fmt::format("{}", fmt::join(config.modes, ","))}};
  if (!config.tags.empty()) fields.emplace_back("tags", fmt::format("{}", fmt::join(config.tags, ",")));
  log.set_common_fields(std::move(fields));
}

Metrics::Settings metrics_settings(const Config& config, const RunnerUrn& urn) {
  Metrics::Settings settings{config.port != 0, config.dogstatsd, {}};
  settings.tags = {"runner_id:" + urn.runner_id, "runner_version:" PAR_VERSION, "pull:true"};
  settings.tags.insert(settings.tags.end(), config.tags.begin(), config.tags.end());
  return settings;
}

// The running runner: everything that the event loop drives. Members stand in the order in which they need
// each other.
class Session {
 public:
  Session(const Config& config, const Log& log, Redactor& redactor, Parts parts)
      : config_(config),
        log_(log),
        parts_(std::move(parts)),
        tokens_(parts_.urn, std::move(parts_.key)),
        allowlist_(config.actions_allowlist),
        http_(control_, parts_.trust, {config.http_proxy, config.https_proxy, config.no_proxy}, log),
        processes_(supervisor_program(), log),
        services_(http_, parts_.trust, parts_.egress, {config.http_timeout, processes_.table()}),
        invoker_(
            parts_.catalog, config.plugin_settings,
            [this](std::string_view id) { return services_.find(id); }, log, redactor,
            invoker_limits(config)),
        credentials_(config.directory, redactor, log),
        pipeline_(parts_.urn, allowlist_, {parts_.catalog, credentials_, config.task_timeout}),
        client_(http_, tokens_,
                {config.api_url, config.reported_version, fmt::format("{}", fmt::join(config.modes, ",")),
                 config.tuning.request_timeout, std::chrono::system_clock::now()}),
        key_source_(make_key_source(config, control_, http_, tokens_, log)),
        key_watch_(timers_, log, health_, [this] { return key_source_->problem(); }),
        metrics_(metrics_settings(config, parts_.urn)),
        dispatcher_({static_cast<size_t>(config.runner_pool_size), config.tuning.heartbeat_interval,
                     pacing_settings(config.tuning)},
                    client_, timers_, invoker_, log, redactor, metrics_, dispatcher_hooks()),
        stop_(dispatcher_, timers_, log, config.drain_timeout, [this] { control_.stop(); }) {}

  int run() {
    log_banner(log_, config_, allowlist_, parts_.catalog, *parts_.trust);
    if (auto served = serve_probes(); !served) {
      log_.error(served.error().message);
      return k_exit_failure;
    }
    wait_for_signals();
    tick();
    health_check_.emplace(client_, timers_, log_, config_.tuning.health_check_interval,
                          [this] { health_.control_succeeded(Milliseconds(0)); });
    if (takes_tasks()) {
      key_watch_.begin();
      key_source_->start([this](std::shared_ptr<const KeySet> keys) { new_keys(std::move(keys)); });
    } else {
      health_.keys({});  // none is needed
    }
    control_.run();
    return leave();
  }

 private:
  bool takes_tasks() const { return !config_.modes.empty(); }

  Dispatcher::Hooks dispatcher_hooks() {
    Dispatcher::Hooks hooks;
    hooks.post = [this](std::function<void()> work) { asio::post(control_, std::move(work)); };
    hooks.prepare = [this](RawTask&& raw) { return prepare(std::move(raw)); };
    hooks.random = random_source();
    hooks.control_succeeded = [this](Milliseconds wait) { health_.control_succeeded(wait); };
    hooks.task_received = [this] { client_.task_received(std::chrono::system_clock::now()); };
    hooks.too_many_abandoned = [this] { too_many_abandoned(); };
    hooks.idle = [this] { stop_.idle(); };
    return hooks;
  }

  // Worker threads.
  Prepared prepare(RawTask&& raw) {
    Prepared prepared = pipeline_.prepare(std::move(raw), *keys_.get());
    if (const auto* invocation = std::get_if<Invocation>(&prepared)) {
      const CatalogEntry* const entry = parts_.catalog.find(invocation->plugin_namespace);
      if (entry != nullptr && entry->manifest && entry->manifest->own_threads) plugin_threads_ = true;
    }
    return prepared;
  }

  Result<void> serve_probes() {
    if (config_.port == 0) return {};
    LocalServer::Settings settings;
    settings.port = config_.port;
    settings.read_timeout = config_.http_server_read_timeout;
    settings.write_timeout = config_.http_server_write_timeout;
    settings.health_path = config_.health_check_endpoint;
    settings.liveness = [this] { return health_.liveness(); };
    settings.readiness = [this] { return health_.readiness(); };
    settings.metrics = [this] {
      return metrics_.prometheus(
          {health_.readiness().ok, static_cast<size_t>(config_.runner_pool_size), PAR_VERSION});
    };
    auto server = LocalServer::start(std::move(settings));
    if (!server) return tl::unexpected(server.error());
    probes_ = std::move(*server);
    return {};
  }

  void wait_for_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (stop_.has_begun()) {
        log_.warn("second signal: the runner ends at once", {{"signal", signal}});
        ::_exit(128 + signal);
      }
      log_.info("the runner stops", {{"signal", signal}, {"running", dispatcher_.running()}});
      wait_for_signals();
      begin_stop("the runner stops");
    });
  }

  void begin_stop(const std::string& reason) {
    health_.draining(reason);
    key_source_->stop();
    stop_.begin();
  }

  void too_many_abandoned() {
    if (stop_.has_begun()) return;
    exit_code_ = k_exit_abandoned;
    log_.error(
        "more calls of plugins do not return than the runner has slots; it drains and ends, to be started "
        "again",
        {{"abandoned", invoker_.abandoned()}});
    begin_stop("too many calls of plugins do not return");
  }

  void tick() {
    health_.tick();
    if (takes_tasks() && !key_watch_.arrived()) key_watch_.refresh();
    tick_timer_ = timers_.after(k_tick, [this] { tick(); });
  }

  void new_keys(std::shared_ptr<const KeySet> keys) {
    const bool first = !keys->empty() && !key_watch_.arrived();
    const bool usable = !keys->empty();
    keys_.set(std::move(keys));
    key_watch_.update(usable);
    if (!first) return;
    metrics_.keys_arrived(key_watch_.latency());
    dispatcher_.start();
  }

  int leave() {
    const bool cut_off = dispatcher_.busy_threads() > 0 || invoker_.abandoned() > 0;
    log_.info("the runner has stopped", {{"exit_code", exit_code_}});
    if (cut_off || plugin_threads_) ::_exit(exit_code_);
    invoker_.shutdown();
    return exit_code_;
  }

  const Config& config_;
  const Log& log_;
  Parts parts_;
  RequestTokens tokens_;
  asio::io_context control_{1};
  asio::signal_set signals_{control_, SIGTERM, SIGINT};
  AsioTimers timers_{control_};
  ActionsAllowlist allowlist_;
  HttpClient http_;
  ProcessService processes_;
  Services services_;
  InProcessInvoker invoker_;
  CredentialResolver credentials_;
  Pipeline pipeline_;
  ControlClient client_;
  CurrentKeys keys_;
  Health health_;
  std::unique_ptr<KeySource> key_source_;
  KeyWatch key_watch_;
  Metrics metrics_;
  std::atomic<bool> plugin_threads_{false};  // a plugin that keeps threads of its own was used
  int exit_code_ = k_exit_ok;
  Dispatcher dispatcher_;
  StopSequence stop_;
  std::optional<HealthCheck> health_check_;
  Timers::Timer tick_timer_;
  std::unique_ptr<LocalServer> probes_;
};

}  // namespace

Runner::Runner(Config config, Log& log, Redactor& redactor)
    : config_(std::move(config)), log_(log), redactor_(redactor) {}

int Runner::run() {
  std::signal(SIGPIPE, SIG_IGN);
  tune_allocator();
  auto parts = read_parts(config_, redactor_);
  if (!parts) {
    log_.error(parts.error().message);
    return k_exit_failure;
  }
  set_log_fields(log_, config_, parts->urn);
  Session session(config_, log_, redactor_, std::move(*parts));
  return session.run();
}

}  // namespace par::core
