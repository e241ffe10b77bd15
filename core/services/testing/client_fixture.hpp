#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>

#include "core/base/files.hpp"
#include "core/services/http_client.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core::testing {

/// The error of a result, for Catch's INFO.
template <typename T>
std::string failure_of(const Result<T, HttpError>& result) {
  return result ? "no failure"
                : "failure " + std::to_string(static_cast<int>(result.error().kind)) + ": " +
                      result.error().message;
}

/// An HttpClient with everything that it needs. It trusts the system's roots and those of `sources`.
struct ClientFixture {
  explicit ClientFixture(ProxySettings proxies = {}, HttpClientHooks hooks = {},
                         const TrustStore::Sources& sources = {})
      : client(control, TrustStore::load(sources).value(), std::move(proxies), log, std::move(hooks)) {}

  /// open() and the whole body.
  Result<HttpAnswer, HttpError> get(const HttpRequest& request,
                                    const EgressPolicy& policy = EgressPolicy::unrestricted(),
                                    std::stop_token cancelled = {}) {
    auto exchange = client.open(request, policy, std::move(cancelled));
    if (!exchange) return tl::unexpected(exchange.error());
    HttpAnswer answer{(*exchange)->head(), {}};
    char piece[4096];
    for (;;) {
      const auto got = (*exchange)->read(piece, sizeof piece);
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) return answer;
      answer.body.append(piece, *got);
    }
  }
  Result<HttpAnswer, HttpError> get(const std::string& url) {
    HttpRequest request;
    request.url = url;
    return get(request);
  }
  /// fetch(), with the control loop run on this thread until the handler is called.
  Result<HttpAnswer, HttpError> fetch(HttpRequest request, std::string body = {}) {
    std::optional<Result<HttpAnswer, HttpError>> answer;
    client.fetch(std::move(request), std::make_shared<const std::string>(std::move(body)),
                 [&](auto result) { answer = std::move(result); });
    control.restart();
    const auto work = boost::asio::make_work_guard(control);  // a name lookup is none of the loop's own
    while (!answer) control.run_one();
    return std::move(*answer);
  }

  FileDescriptor null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Redactor redactor;
  Log log{null.get(), LogFormat::json, LogLevel::debug, redactor};
  boost::asio::io_context control;
  HttpClient client;
};

}  // namespace par::core::testing
