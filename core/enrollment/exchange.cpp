#include "core/enrollment/exchange.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "core/config/config.hpp"
#include "core/enrollment/refusals.hpp"
#include "core/enrollment/settings.hpp"
#include "core/identity/identity.hpp"
#include "core/services/http_client.hpp"
#include "core/services/request_rules.hpp"
#include "core/telemetry/log.hpp"

namespace asio = boost::asio;

namespace par::core {
namespace {

constexpr Milliseconds k_request_timeout{30'000};
constexpr Milliseconds k_first_wait{1'000};
constexpr Milliseconds k_longest_wait{30'000};
constexpr Milliseconds k_look_for_stop{100};
constexpr uint64_t k_max_answer = 1u << 20;
constexpr std::string_view k_token_path = "/api/v2/on-prem-management-service/enrollments/complete";
constexpr std::string_view k_keys_path = "/api/unstable/on_prem_runners";

struct Message {
  std::string url;
  std::vector<HttpHeader> headers;
  std::string body;
};

Message message_for(const EnrollmentSettings& settings, const PrivateKey& key, const Config& config) {
  const std::string origin = config.api_url.origin();
  if (settings.kind == EnrollmentKind::token) {
    Message message{origin + std::string(k_token_path),
                    {{"Content-Type", "application/jose+json"},
                     {"Accept", "application/json"},
                     {"X-Datadog-OnPrem-Version", config.reported_version}},
                    {}};
    message.body = token_enrollment_body(settings.token.reveal(), key, message.url);
    return message;
  }
  return {origin + std::string(k_keys_path),
          {{"Content-Type", "application/vnd.api+json"},
           {"Accept", "application/json"},
           {"DD-API-KEY", std::string(settings.api_key.reveal())},
           {"DD-APPLICATION-KEY", std::string(settings.app_key.reveal())},
           {"X-Datadog-OnPrem-Version", config.reported_version}},
          key_enrollment_body(settings, key)};
}

bool surely_not_received(const HttpError& error) {
  return !error.sent && (error.kind == HttpFailure::resolve || error.kind == HttpFailure::connect);
}

}  // namespace

EnrollmentExchange::EnrollmentExchange(asio::io_context& control, HttpClient& http, const Config& config,
                                       const Log& log, Milliseconds patience)
    : control_(control), http_(http), config_(config), log_(log), patience_(patience) {}

Result<std::optional<EnrollmentAnswer>> EnrollmentExchange::run(const EnrollmentSettings& settings,
                                                                const PrivateKey& key,
                                                                const std::function<bool()>& stop_requested) {
  const Message message = message_for(settings, key, config_);
  const SteadyTime give_up = std::chrono::steady_clock::now() + patience_;
  std::optional<Result<HttpAnswer, HttpError>> answer;
  for (Milliseconds wait = k_first_wait;; wait = std::min(2 * wait, k_longest_wait)) {
    if (stop_requested()) return std::optional<EnrollmentAnswer>();
    HttpRequest request;
    request.method = "POST";
    request.url = message.url;
    request.headers = message.headers;
    request.has_body = true;
    request.deadline = std::chrono::steady_clock::now() + k_request_timeout;
    request.max_body_bytes = k_max_answer;
    answer.reset();
    http_.fetch(std::move(request), std::make_shared<const std::string>(message.body),
                [&answer](Result<HttpAnswer, HttpError> got) { answer = std::move(got); });
    while (!answer) control_.run_one();

    if (*answer || !surely_not_received(answer->error())) break;
    if (std::chrono::steady_clock::now() + wait > give_up) break;
    log_.warn("Datadog cannot be reached to enroll; nothing was sent, so it is tried again",
              {{"error", answer->error().message}, {"wait_ms", wait.count()}});
    // In short pieces, so that a stop need not wait for the end.
    const SteadyTime until = std::chrono::steady_clock::now() + wait;
    while (std::chrono::steady_clock::now() < until && !stop_requested()) {
      asio::steady_timer piece(control_, k_look_for_stop);
      bool over = false;
      piece.async_wait([&over](const boost::system::error_code&) { over = true; });
      while (!over) control_.run_one();
    }
  }

  if (!*answer) {
    const HttpError& error = answer->error();
    if (error.sent) return fail(explain_lost_answer(settings, error.message));
    return fail(fmt::format("Datadog cannot be reached to enroll, nothing was sent: {}", error.message));
  }
  const HttpAnswer& http = **answer;
  if (http.head.status != 200) {
    const HttpHeader* const location = find_header(http.head.headers, "Location");
    return fail(explain_refusal(
        settings, {config_.api_url, config_.site, http.head.status,
                   location == nullptr ? std::string_view() : std::string_view(location->value), http.body}));
  }
  auto parsed = parse_enrollment_answer(http.body);
  if (!parsed) return fail(explain_lost_answer(settings, parsed.error().message));
  return parsed;
}

}  // namespace par::core
