#include "core/verify/remote_config.hpp"

#include <array>
#include <random>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/identity/identity.hpp"
#include "core/services/http_client.hpp"
#include "core/telemetry/log.hpp"
#include "core/verify/remote_config_state.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_path = "/api/v0.1/configurations";
constexpr uint64_t k_max_answer = 32 * 1024 * 1024;
constexpr size_t k_max_root_file = 1024 * 1024;
constexpr size_t k_max_quoted = 512;

std::string own_hostname() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

RemoteConfigClient client_of(const RemoteConfigSettings& settings, const RunnerUrn& urn) {
  return {settings.hostname.empty() ? own_hostname() : settings.hostname,
          hex_encode(random_bytes(16)),
          settings.version,
          {"site:" + settings.site, "runner-id:" + urn.runner_id},
          urn.org_id};
}

// Trusts the root document(s) in `path`.
Result<void> trust_file(RemoteConfigState& state, const std::filesystem::path& path) {
  const auto text = read_file(path, k_max_root_file);
  if (!text) return tl::unexpected(text.error());
  const auto document = parse_json(*text);
  if (!document) return fail_in(path.native(), document);
  const json::Value* const config = json::find(*document, "config");
  const json::Value* const director = json::find(*document, "director");
  if ((config == nullptr) != (director == nullptr)) {
    return fail(path.native() +
                ": it has one of 'config' and 'director', expected both or one root document");
  }
  const auto trusted = config == nullptr ? state.trust(*text, *text)
                                         : state.trust(json::write(*config), json::write(*director));
  return trusted ? trusted : fail_in(path.native(), trusted);
}

}  // namespace

struct RemoteConfigKeys::Poller : std::enable_shared_from_this<Poller> {
  Poller(boost::asio::io_context& control, HttpClient& client, RequestTokens& request_tokens,
         const Log& lines, RemoteConfigSettings given, Now clock)
      : timer(control),
        http(client),
        tokens(request_tokens),
        log(lines),
        settings(std::move(given)),
        now(std::move(clock)),
        state(client_of(settings, request_tokens.urn())),
        url(settings.origin + std::string(k_path)) {}

  void schedule(Milliseconds wait) {
    timer.expires_after(wait);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& failure) {
      if (!failure && !self->stopped) self->poll();
    });
  }

  void schedule_next() {
    const auto base = have_keys ? settings.interval : settings.first_interval;
    const int64_t tenth = base.count() / 10;
    schedule(base + Milliseconds(std::uniform_int_distribution<int64_t>(-tenth, tenth)(random)));
  }

  void poll() {
    if (!ready_to_trust()) return schedule_next();
    HttpRequest request;
    request.method = "POST";
    request.url = url;
    request.headers = {{"Content-Type", "application/x-protobuf"}, {"DD-PAR-JWT", tokens.token()}};
    request.has_body = true;
    request.deadline = std::chrono::steady_clock::now() + settings.timeout;
    request.max_body_bytes = k_max_answer;
    fetch = http.fetch(std::move(request), std::make_shared<const std::string>(state.request(now())),
                       [self = shared_from_this()](Result<HttpAnswer, HttpError> answer) {
                         if (self->stopped) return;
                         self->take(answer);
                         self->schedule_next();
                       });
  }

  // A configured or stored root is read before the first request. A broken one is never replaced by what
  // comes over the network: that is for a person to decide.
  bool ready_to_trust() {
    if (state.has_trust()) return true;
    const bool pinned = !settings.pinned_root.empty();
    const auto& path = pinned ? settings.pinned_root : settings.stored_root;
    std::error_code unknown;
    if (!pinned && (path.empty() || (!std::filesystem::exists(path, unknown) && !unknown))) return true;
    const auto trusted = trust_file(state, path);
    if (!trusted) {
      refused(pinned ? "remoteConfigRoot: " + trusted.error().message
                     : trusted.error().message + "; delete the file to trust the next root that is received");
      return false;
    }
    log.info(pinned ? "Remote Configuration: using the configured root"
                    : "Remote Configuration: using the stored root",
             {{"file", path.native()}});
    return true;
  }

  void take(const Result<HttpAnswer, HttpError>& answer) {
    if (!answer) return refused("Remote Configuration: " + answer.error().message);
    const int status = answer->head.status;
    if (status == 401 || status == 403) {
      return refused(
          fmt::format("Remote Configuration refuses this runner (HTTP {}): are urn, privateKey and "
                      "ddBaseURL those of one runner, and does this machine's clock run right?",
                      status));
    }
    if (status != 200) {
      return refused(fmt::format("Remote Configuration: {} answered HTTP {}: {}", settings.origin, status,
                                 cut_utf8(answer->body, k_max_quoted)));
    }
    const bool first_use = !state.has_trust();
    const auto update = state.apply(answer->body, now());
    if (!update)
      return refused("Remote Configuration: update refused, nothing changed: " + update.error().message);
    error.clear();
    answered = true;
    if (!update->keys) return;
    for (const auto& problem : update->problems) log.warn("Remote Configuration: key skipped: " + problem);
    if (update->roots_changed && settings.pinned_root.empty()) store_roots(first_use);
    if (update->keys_changed) {
      log.info("signing keys updated", {{"source", "Remote Configuration"},
                                        {"keys", update->keys->size()},
                                        {"key_ids", update->keys->ids()}});
    }
    have_keys = !update->keys->empty();
    if (!have_keys && !update->problems.empty()) {
      error = "Remote Configuration: " + update->problems.front();
    }
    changed(update->keys);
  }

  void store_roots(bool first_use) {
    if (first_use)
      log.warn("Remote Configuration: no root is configured, so the first one received is trusted");
    if (settings.stored_root.empty()) return;
    const auto written = write_file_atomically(settings.stored_root, state.roots_text(), 0600);
    if (written) {
      log.info("Remote Configuration: root stored", {{"file", settings.stored_root.native()}});
    } else {
      log.warn("Remote Configuration: the root is kept in memory only, it could not be stored: " +
               written.error().message);
    }
  }

  // The same problem every few seconds is one line.
  void refused(const std::string& text) {
    log.write(text == error ? LogLevel::debug : LogLevel::warn, text);
    error = text;
  }

  std::string problem() const {
    if (have_keys) return {};
    if (!error.empty()) return error;
    if (!answered) return fmt::format("waiting for the first answer of {}", settings.origin);
    return fmt::format(
        "{} answers, but has none for this runner: is Remote Configuration enabled for the organisation?",
        settings.origin);
  }

  boost::asio::steady_timer timer;
  HttpClient& http;
  RequestTokens& tokens;
  const Log& log;
  const RemoteConfigSettings settings;
  const Now now;
  RemoteConfigState state;
  const std::string url;
  HttpClient::FetchHandle fetch;
  std::function<void(std::shared_ptr<const KeySet>)> changed;
  std::minstd_rand random{std::random_device{}()};
  std::string error;
  bool have_keys = false;
  bool answered = false;
  bool stopped = false;
};

RemoteConfigKeys::RemoteConfigKeys(boost::asio::io_context& control, HttpClient& http, RequestTokens& tokens,
                                   const Log& log, RemoteConfigSettings settings, Now now)
    : poller_(std::make_shared<Poller>(control, http, tokens, log, std::move(settings), std::move(now))) {}

RemoteConfigKeys::~RemoteConfigKeys() {
  stop();
}

void RemoteConfigKeys::start(std::function<void(std::shared_ptr<const KeySet>)> changed) {
  poller_->changed = std::move(changed);
  poller_->schedule(Milliseconds(0));
}

void RemoteConfigKeys::stop() {
  poller_->stopped = true;
  poller_->timer.cancel();
  poller_->fetch.cancel();
}

std::string RemoteConfigKeys::problem() const {
  return poller_->problem();
}

}  // namespace par::core
