// "par.http/1": the C table over HttpClient.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include <par/http.h>

#include "core/base/strings.hpp"
#include "core/services/call_scope.hpp"
#include "core/services/host_object.hpp"
#include "core/services/service_tables.hpp"

namespace par::core {
namespace {

constexpr uint64_t k_default_body_bytes = 15u << 20;
constexpr Milliseconds k_default_connect_timeout{10'000};

struct HttpService {
  HttpClient& client;
  const EgressSettings& egress;
  Milliseconds default_timeout;
};
std::atomic<HttpService*> g_service{nullptr};

struct Response : HostObject<par_http_response> {
  std::vector<par_http_header> shown_headers;
  std::unique_ptr<HttpClient::Exchange> exchange;

  void show(std::unique_ptr<HttpClient::Exchange> answer) {
    exchange = std::move(answer);
    const auto& answered = exchange->head();
    shown_headers.reserve(answered.headers.size());
    for (const auto& header : answered.headers) {
      shown_headers.push_back({to_par_bytes(header.name), to_par_bytes(header.value)});
    }
    http_status = answered.status;
    redirects = answered.redirects;
    reason = to_par_bytes(answered.reason);
    final_url = to_par_str(answered.final_url);
    headers = shown_headers.data();
    header_count = shown_headers.size();
  }
};

// Why a request breaks the contract; empty if it does not.
std::string defect_of(const par_http_request* request) {
  if (!request) return "the request is a null pointer";
  if (!PAR_HAS(request, max_body_bytes))
    return "the request's struct_size is smaller than the struct of version 1.0";
  if ((request->header_count != 0 && !request->headers) || (request->body_count != 0 && !request->body)) {
    return "the request has a null pointer with a count";
  }
  if ((request->flags & ~(PAR_HTTP_NO_REDIRECT | PAR_HTTP_NO_VERIFY | PAR_HTTP_HAS_BODY)) != 0) {
    return "the request has an unknown flag";
  }
  if (request->timeout_ms < -1 || request->connect_timeout_ms < 0)
    return "the request has a negative time limit";
  if (request->body_count != 0 && !(request->flags & PAR_HTTP_HAS_BODY)) {
    return "the request has parts of a body but not the flag PAR_HTTP_HAS_BODY";
  }
  return {};
}

// A time limit that a plugin gives in milliseconds, without overflow.
SteadyTime from_now(int64_t milliseconds) {
  constexpr int64_t k_year = int64_t{1000} * 3600 * 24 * 365;
  return std::chrono::steady_clock::now() + Milliseconds(std::min(milliseconds, k_year));
}

HttpRequest read_request(const par_http_request& given, const HttpService& service, const CallScope& scope,
                         const EgressRow& row) {
  HttpRequest request;
  request.method = view(given.method);
  request.url = view(given.url);
  const bool adds_headers = row.datadog_headers;
  for (const auto& header : std::span(given.headers, given.header_count)) {
    const auto name = view(header.name);
    // The host's values of these two stand for the signed task; no plugin can give its own.
    if (adds_headers &&
        (equals_ignoring_case(name, "Sec-Datadog") || equals_ignoring_case(name, "User-Agent")))
      continue;
    request.headers.push_back({std::string(name), std::string(view(header.value))});
  }
  if (adds_headers) {
    request.headers.push_back({"User-Agent", "Datadog"});
    if (!scope.sec_datadog_header().empty())
      request.headers.push_back({"Sec-Datadog", scope.sec_datadog_header()});
  }
  request.has_body = (given.flags & PAR_HTTP_HAS_BODY) != 0;
  for (const auto& part : std::span(given.body, given.body_count)) request.body.push_back(view(part));
  request.follow_redirects = (given.flags & PAR_HTTP_NO_REDIRECT) == 0;
  request.verify_certificate = (given.flags & PAR_HTTP_NO_VERIFY) == 0;
  request.ca_pem = view(given.ca_pem);
  request.client_certificate_pem = view(given.client_cert_pem);
  request.client_key_pem = view(given.client_key_pem);
  request.server_name = view(given.server_name);
  request.proxy = view(given.proxy);
  request.deadline = scope.deadline();
  if (given.timeout_ms != -1) {
    const auto own = from_now(given.timeout_ms == 0 ? service.default_timeout.count() : given.timeout_ms);
    request.deadline = std::min(own, request.deadline.value_or(own));
  }
  request.connect_timeout = given.connect_timeout_ms == 0
                                ? k_default_connect_timeout
                                : Milliseconds(std::min<int64_t>(given.connect_timeout_ms, 3'600'000));
  request.max_body_bytes = given.max_body_bytes == 0 ? k_default_body_bytes : given.max_body_bytes;
  return request;
}

par_status send(Response& response, const CallScope& scope, const par_http_request* given) {
  const HttpService* service = g_service;
  if (!service) return response.fail(PAR_UNSUPPORTED, "the runner's HTTP service has ended");
  if (auto defect = defect_of(given); !defect.empty()) return response.fail(PAR_INVALID, std::move(defect));
  const EgressRow& row = egress_row(scope.plugin_namespace());
  const HttpRequest request = read_request(*given, *service, scope, row);
  auto exchange = service->client.open(request, EgressPolicy(row, service->egress), scope.cancelled());
  if (!exchange) {
    return response.fail(status_of(exchange.error().kind, scope), std::move(exchange.error().message));
  }
  response.show(std::move(*exchange));
  return PAR_OK;
}

par_status http_send(const par_call* call, const par_http_request* request, par_http_response** out) {
  return provide<Response>(call, out, PAR_CONNECT, [&](Response& response, const CallScope& scope) {
    return send(response, scope, request);
  });
}

par_status http_read(const par_call* call, par_http_response* shown, uint8_t* buffer, size_t capacity,
                     size_t* got) {
  if (got) *got = 0;
  if (!call || !call->host_data || !shown || !got || (!buffer && capacity != 0)) return PAR_INVALID;
  if (shown == no_call_object<par_http_response>()) return PAR_INVALID;
  auto& response = *static_cast<Response*>(shown);
  if (!response.exchange || capacity == 0) return PAR_INVALID;
  auto read = response.exchange->read(reinterpret_cast<char*>(buffer), capacity);
  if (!read) {
    const par_status status = status_of(read.error().kind, CallScope::of(call));
    return response.fail(status, std::move(read.error().message));
  }
  *got = *read;
  return PAR_OK;
}

constexpr par_http k_table{sizeof(par_http), 0, http_send, http_read, release_object<par_http_response>};

}  // namespace

par_status status_of(HttpFailure failure, const CallScope& scope) {
  switch (failure) {
    case HttpFailure::cancelled:
      return scope.deadline_passed() ? PAR_DEADLINE : PAR_CANCELLED;
    case HttpFailure::deadline:
      return PAR_DEADLINE;
    case HttpFailure::limit:
      return PAR_LIMIT;
    case HttpFailure::invalid:
      return PAR_INVALID;
    case HttpFailure::policy:
      return PAR_POLICY;
    case HttpFailure::resolve:
      return PAR_RESOLVE;
    case HttpFailure::connect:
      return PAR_CONNECT;
    case HttpFailure::tls:
      return PAR_TLS;
    case HttpFailure::protocol:
      return PAR_PROTOCOL;
  }
  return PAR_INTERNAL;
}

const par_http* make_http_service(HttpClient& client, const EgressSettings& egress,
                                  Milliseconds default_timeout) {
  delete g_service.exchange(new HttpService{client, egress, default_timeout});
  return &k_table;
}

void end_http_service() {
  delete g_service.exchange(nullptr);
}

}  // namespace par::core
