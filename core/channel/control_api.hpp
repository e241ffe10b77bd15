#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace par::core {

/// Datadog's answer to a request of the pull channel, with any status.
struct ControlAnswer {
  int status = 0;
  std::optional<Milliseconds> retry_after;  ///< X-Retry-After-Ms, if it holds an order (at most 120 s)
  std::string server_time;                  ///< X-Server-Time as sent; only for logs
  std::string body;
};

/// The requests of the pull channel. Behind an interface so that pacing, publishing and dispatch can be
/// tested without sockets. Every function returns at once and calls back exactly once, later, on the control
/// thread; an error means that there was no complete answer.
class ControlApi {
 public:
  using Answered = std::function<void(Result<ControlAnswer>)>;
  /// Ends the request early if called: its callback then gets an error. May be empty.
  using Cancel = std::function<void()>;

  virtual ~ControlApi() = default;
  /// Asks for one task.
  virtual Cancel dequeue(Answered answered) = 0;
  /// Publishes a result or failure. The body is shared: it may be large, and is needed again for a retry.
  virtual void publish(std::shared_ptr<const std::string> body, Answered answered) = 0;
  virtual void heartbeat(std::string body, Answered answered) = 0;
  virtual void health_check(Answered answered) = 0;
};

/// For logs: "status 503: <at most 512 bytes of the body>", or the error.
std::string describe(const Result<ControlAnswer>& answer);

inline bool is_success(const Result<ControlAnswer>& answer) {
  return answer && answer->status >= 200 && answer->status < 300;
}

}  // namespace par::core
