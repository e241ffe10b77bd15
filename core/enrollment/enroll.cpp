#include "core/enrollment/enroll.hpp"

#include <csignal>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "core/enrollment/exchange.hpp"
#include "core/identity/identity.hpp"
#include "core/services/http_client.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"

namespace asio = boost::asio;

namespace par::core {
namespace {

// Notes signals instead of ending the process.
class StopRequests {
 public:
  explicit StopRequests(asio::io_context& control) : control_(control), signals_(control, SIGTERM, SIGINT) {
    signals_.async_wait([this](const boost::system::error_code& error, int) { requested_ = !error; });
  }
  bool requested() {
    control_.poll();
    return requested_;
  }

 private:
  asio::io_context& control_;
  asio::signal_set signals_;
  bool requested_ = false;
};

std::vector<std::string> new_mode_names(const EnrollmentAnswer& answer, const EnrollmentSettings& settings) {
  if (!answer.modes.empty()) return answer.modes;
  return settings.modes.empty() ? std::vector<std::string>{"pull"} : settings.modes;
}

void take_modes(Config& config, const std::vector<std::string>& modes) {
  config.modes.clear();
  config.serves_push = false;
  for (const std::string& mode : modes) {
    if (mode == "push" || mode == "appBuilder") {
      config.serves_push = true;
    } else {
      config.modes = {"pull"};
    }
  }
}

}  // namespace

Result<Enrolled> enroll(Config config, const EnrollmentSettings& settings, const Log& log, Redactor& redactor,
                        const std::function<Result<void>(const Config&)>& keep) {
  auto trust = TrustStore::load({config.certificate_directories, config.certificate_file});
  if (!trust) return tl::unexpected(trust.error());
  const PrivateKey key = PrivateKey::generate();
  config.private_key = key.config_text();
  redactor.add_forever(config.private_key.reveal());

  asio::io_context control(1);
  StopRequests stop(control);
  HttpClient http(control, std::move(*trust), {config.http_proxy, config.https_proxy, config.no_proxy}, log);
  EnrollmentExchange exchange(control, http, config, log);
  log.info(settings.kind == EnrollmentKind::token ? "enrolling with a one-time token"
                                                  : "enrolling with an API key and an application key",
           {{"api", config.api_url.origin()}, {"runner_name", settings.name}});
  auto answer = exchange.run(settings, key, [&stop] { return stop.requested(); });
  if (!answer) return tl::unexpected(answer.error());
  if (!*answer) return Enrolled{std::move(config), true};

  const EnrollmentAnswer& runner = **answer;
  config.urn = RunnerUrn{config.region, runner.org_id, runner.runner_id}.text();
  if (const auto sound = RunnerUrn::parse(config.urn); !sound)
    return fail("Datadog's answer names no usable runner: " + sound.error().message);
  take_modes(config, new_mode_names(runner, settings));
  if (config.actions_allowlist.empty())
    config.actions_allowlist = settings.kind == EnrollmentKind::token ? runner.actions : settings.actions;
  if (auto kept = keep(config); !kept) {
    return fail(
        fmt::format("the runner {} was made at Datadog, but its identity could not be kept: {}. Delete the "
                    "runner in Datadog, "
                    "mend this and enroll again",
                    config.urn, kept.error().message));
  }
  log.info("enrolled", {{"urn", config.urn}, {"allowed_actions", config.actions_allowlist.size()}});
  return Enrolled{std::move(config), stop.requested()};
}

Config with_sample_identity(Config config) {
  config.urn = RunnerUrn{config.region, 1, "runner-sample"}.text();
  config.private_key = Secret("c2FtcGxl");
  return config;
}

}  // namespace par::core
