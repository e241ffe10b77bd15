#include "core/channel/control_client.hpp"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/strings.hpp"
#include "core/channel/pacing.hpp"
#include "core/identity/identity.hpp"
#include "core/services/http_client.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_service = "/api/v2/on-prem-management-service/";
constexpr std::string_view k_platform = "linux";
constexpr std::string_view k_flavor = "private_action_runner";
#if defined(__x86_64__)
constexpr std::string_view k_architecture = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view k_architecture = "arm64";
#else
#  error "Name this architecture as Go does."
#endif

constexpr uint64_t k_max_dequeue_body = 48u << 20;
constexpr uint64_t k_max_other_body = 1u << 20;

ControlAnswer answer_of(HttpAnswer&& http) {
  ControlAnswer answer;
  answer.status = http.head.status;
  for (const HttpHeader& header : http.head.headers) {
    if (equals_ignoring_case(header.name, "X-Retry-After-Ms"))
      answer.retry_after = parse_retry_after(header.value);
    if (equals_ignoring_case(header.name, "X-Server-Time")) answer.server_time = header.value;
  }
  answer.body = std::move(http.body);
  return answer;
}

HttpClient::Fetched adapt(ControlApi::Answered answered) {
  return [answered = std::move(answered)](Result<HttpAnswer, HttpError> http) {
    if (!http) return answered(fail(std::move(http.error().message)));
    answered(answer_of(std::move(*http)));
  };
}

}  // namespace

bool is_containerized() {
  std::error_code ignored;
  return std::getenv("KUBERNETES_SERVICE_HOST") != nullptr || std::getenv("container") != nullptr ||
         std::filesystem::exists("/.dockerenv", ignored) ||
         std::filesystem::exists("/run/.containerenv", ignored);
}

ControlClient::ControlClient(HttpClient& http, RequestTokens& tokens, Settings settings)
    : http_(http),
      tokens_(tokens),
      request_timeout_(settings.request_timeout),
      started_(rfc3339(settings.started)) {
  std::string base = settings.api_url.origin() + settings.api_url.path;
  while (base.ends_with('/')) base.pop_back();
  base += k_service;
  dequeue_url_ = base + "workflow-tasks/dequeue";
  publish_url_ = base + "workflow-tasks/publish-task-update";
  heartbeat_url_ = base + "workflow-tasks/heartbeat";
  const std::string_view containerized = is_containerized() ? "true" : "false";
  health_check_url_ = fmt::format(
      "{}runner/"
      "health-check?runnerVersion={}&modes={}&platform={}&architecture={}&flavor={}&containerized={}",
      base, percent_encode(settings.reported_version), percent_encode(settings.modes), k_platform,
      k_architecture, k_flavor, containerized);
  headers_ = {{"Accept", "application/json"},
              {"Content-Type", "application/json"},
              {"X-Datadog-OnPrem-Version", settings.reported_version},
              {"X-Datadog-OnPrem-Modes", settings.modes},
              {"X-Datadog-OnPrem-Platform", std::string(k_platform)},
              {"X-Datadog-OnPrem-Architecture", std::string(k_architecture)},
              {"X-Datadog-OnPrem-Flavor", std::string(k_flavor)},
              {"X-Datadog-OnPrem-Containerized", std::string(containerized)}};
}

HttpRequest ControlClient::request(std::string_view method, const std::string& url) const {
  HttpRequest request;
  request.method = method;
  request.url = url;
  request.headers.reserve(headers_.size() + 1);
  for (const auto& [name, value] : headers_) request.headers.push_back({name, value});
  request.headers.push_back({"X-Datadog-OnPrem-JWT", tokens_.token()});
  request.deadline = std::chrono::steady_clock::now() + request_timeout_;
  request.max_body_bytes = k_max_other_body;
  return request;
}

ControlApi::Cancel ControlClient::dequeue(Answered answered) {
  std::string body =
      fmt::format(R"({{"data":{{"type":"dequeue","attributes":{{"runner_started_at":"{}")", started_);
  if (!last_task_.empty()) body += fmt::format(R"(,"last_task_received_at":"{}")", last_task_);
  body += "}}}";
  HttpRequest poll = request("POST", dequeue_url_);
  poll.has_body = true;
  poll.max_body_bytes = k_max_dequeue_body;
  return [handle = http_.fetch(std::move(poll), std::make_shared<const std::string>(std::move(body)),
                               adapt(std::move(answered)))]() mutable { handle.cancel(); };
}

void ControlClient::publish(std::shared_ptr<const std::string> body, Answered answered) {
  HttpRequest update = request("POST", publish_url_);
  update.has_body = true;
  http_.fetch(std::move(update), std::move(body), adapt(std::move(answered)));
}

void ControlClient::heartbeat(std::string body, Answered answered) {
  HttpRequest beat = request("POST", heartbeat_url_);
  beat.has_body = true;
  http_.fetch(std::move(beat), std::make_shared<const std::string>(std::move(body)),
              adapt(std::move(answered)));
}

void ControlClient::health_check(Answered answered) {
  http_.fetch(request("GET", health_check_url_), {}, adapt(std::move(answered)));
}

}  // namespace par::core
