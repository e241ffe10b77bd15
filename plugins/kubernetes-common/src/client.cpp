#include "client.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace kubernetes {
namespace {

constexpr int k_most_retries = 10;
constexpr std::chrono::seconds k_longest_pause{60};
constexpr std::chrono::seconds k_longest_pauses{300};  // all together
constexpr size_t k_most_discarded = 1 << 20;

// Seconds to wait before the same request may succeed; nothing if the answer is final.
std::optional<std::chrono::seconds> retry_after(const par::HttpResponse& response) {
  if (response.status() != 429 && response.status() < 500) return std::nullopt;
  const auto header = response.header("retry-after");
  if (!header) return std::nullopt;
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), seconds);
  if (error != std::errc() || end != header->data() + header->size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

Client::Client(Connections& connections, const par::Connection& connection, const par::Call& call)
    : connections_(connections),
      connection_(connection),
      call_(call),
      cluster_(connections.open(connection, call)) {}

par::HttpResponse Client::send(const ApiRequest& request) {
  bool renewed = false;
  std::chrono::seconds waited{0};
  for (int retries = 0;;) {
    par::HttpResponse response = send_once(request);
    if (response.status() == 401 && !renewed && connections_.refused(cluster_)) {
      renewed = true;
      cluster_ = connections_.open(connection_, call_);
      continue;
    }
    const auto pause = retry_after(response);
    // A pause that reaches to the call's limit could only end in a poorer error than this answer.
    if (!pause || retries == k_most_retries || *pause >= call_.remaining()) return response;
    if (*pause > k_longest_pause || waited + *pause > k_longest_pauses) return response;
    ++retries;
    waited += *pause;
    const int status = response.status();
    discard(std::move(response));
    call_.log(par::LogLevel::info, "the API server answered HTTP " + std::to_string(status) +
                                       " and asks to wait " + std::to_string(pause->count()) + " s");
    call_.wait(*pause);
  }
}

par::HttpResponse Client::send_once(const ApiRequest& request) const {
  par::HttpRequest http = call_.http().request(request.method, cluster_.server + request.target);
  http.header("Accept", request.accept)
      .header("User-Agent", std::string(call_.host().name()) + "/" + std::string(call_.host().version()));
  if (!cluster_.compress) http.header("Accept-Encoding", "identity");
  if (!cluster_.authorization.empty()) http.header("Authorization", cluster_.authorization);
  for (const auto& [name, value] : cluster_.impersonation) http.header(name, value);
  if (!request.body.empty()) http.header("Content-Type", request.content_type).body(request.body);
  http.verify_certificate(cluster_.verify)
      .ca(cluster_.ca_pem)
      .client_certificate(cluster_.certificate_pem, cluster_.key_pem)
      .server_name(cluster_.server_name)
      .proxy(cluster_.proxy)
      .no_timeout()
      .max_body(PAR_HTTP_UNLIMITED);
  try {
    return http.send();
  } catch (const par::Error& error) {
    fail(error);
  }
}

std::string Client::read(par::HttpResponse& response, uint64_t limit) const {
  try {
    return response.read_all(limit);
  } catch (const par::Error& error) {
    if (error.status() == PAR_LIMIT) throw;
    fail(error);
  }
}

void Client::discard(par::HttpResponse response) const {
  std::array<char, 16u << 10> buffer{};
  try {
    for (size_t total = 0; total < k_most_discarded;) {
      const size_t got = response.read(buffer.data(), buffer.size());
      if (got == 0) return;
      total += got;
    }
  } catch (const par::Error&) {
    return;
  }
}

void Client::fail(const par::Error& error) const {
  // What the host finds malformed comes from the kubeconfig or the pod's files: no defect of this plugin.
  const par_status status = error.status() == PAR_INVALID ? PAR_ERROR : error.status();
  const std::string text = "no answer from the Kubernetes API server " + cluster_.server + " (" +
                           cluster_.origin + "): " + error.message();
  throw par::Error(status, text);
}

}  // namespace kubernetes
