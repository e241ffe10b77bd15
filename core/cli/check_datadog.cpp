#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/channel/control_client.hpp"
#include "core/cli/check.hpp"
#include "core/cli/report.hpp"
#include "core/dispatch/key_source.hpp"
#include "core/identity/identity.hpp"
#include "core/services/http_client.hpp"
#include "core/services/trust_store.hpp"
#include "core/verify/keys.hpp"

namespace asio = boost::asio;

namespace par::core {
namespace {

// Beyond the limits that the calls have themselves, for what they do not cover.
constexpr Milliseconds k_slack{5'000};
// A directory is read at once or not at all.
constexpr Milliseconds k_directory_limit{1'000};

// Runs the event loop until `done` is called or the time is over. False if it was over.
bool run_until_done(asio::io_context& control, Milliseconds limit,
                    const std::function<void(std::function<void()>)>& start) {
  bool finished = false;
  asio::steady_timer timer(control, limit);
  timer.async_wait([&](const boost::system::error_code& error) {
    if (!error) control.stop();
  });
  start([&] {
    finished = true;
    control.stop();
  });
  control.restart();
  control.run();
  return finished;
}

void check_channel(const Config& config, asio::io_context& control, HttpClient& http, RequestTokens& tokens,
                   Report& report) {
  ControlClient client(
      http, tokens,
      {config.api_url, config.reported_version, fmt::format("{}", fmt::join(config.modes, ",")),
       config.tuning.request_timeout, std::chrono::system_clock::now()});
  std::optional<Result<ControlAnswer>> answer;
  run_until_done(control, config.tuning.request_timeout + k_slack, [&](std::function<void()> done) {
    client.health_check([&answer, done](Result<ControlAnswer> got) {
      answer = std::move(got);
      done();
    });
  });
  const std::string origin = config.api_url.origin();
  if (!answer) return report.fail("connectivity", origin + ": no answer in time");
  if (is_success(*answer)) return report.ok("connectivity", origin + " accepts this runner");
  std::string text = origin + ": " + describe(*answer);
  if (*answer && ((*answer)->status == 401 || (*answer)->status == 403)) {
    text +=
        " (the identity is not accepted: was the runner deleted, or does the URN belong to another site?)";
  }
  report.fail("connectivity", text);
}

// Calls `done` once the source has found another reason for having no keys than that it has just begun.
void when_problem_changes(asio::steady_timer& timer, const KeySource& source, const std::string& first,
                          const std::function<void()>& done) {
  timer.expires_after(Milliseconds(50));
  timer.async_wait([&timer, &source, first, done](const boost::system::error_code& error) {
    if (error) return;
    const std::string now = source.problem();
    if (!now.empty() && now != first) return done();
    when_problem_changes(timer, source, first, done);
  });
}

void check_keys(const Config& config, asio::io_context& control, HttpClient& http, RequestTokens& tokens,
                const Log& log, Report& report) {
  const auto source = make_key_source(config, control, http, tokens, log);
  size_t keys = 0;
  const bool from_directory = !config.keys_directory.empty();
  const Milliseconds limit = from_directory ? k_directory_limit : config.tuning.request_timeout + k_slack;
  asio::steady_timer again(control);
  run_until_done(control, limit, [&](std::function<void()> done) {
    source->start([&keys, done](std::shared_ptr<const KeySet> set) {
      keys = set->size();
      if (keys > 0) done();
    });
    // The source would go on trying; here its first word is enough.
    when_problem_changes(again, *source, source->problem(), done);
  });
  const std::string origin =
      from_directory ? config.keys_directory.native() : config.remote_config_url.origin();
  const std::string problem = source->problem();
  source->stop();
  if (keys > 0) {
    report.ok("keys", fmt::format("{} from {}", keys, origin));
  } else {
    report.fail("keys", fmt::format("{}: {}", origin, problem.empty() ? "no key in time" : problem));
  }
}

}  // namespace

void check_datadog(const Config& config, RequestTokens& tokens, std::shared_ptr<TrustStore> trust,
                   const Log& log, Report& report) {
  asio::io_context control(1);
  HttpClient http(control, std::move(trust), {config.http_proxy, config.https_proxy, config.no_proxy}, log);
  check_channel(config, control, http, tokens, report);
  check_keys(config, control, http, tokens, log, report);
}

}  // namespace par::core
