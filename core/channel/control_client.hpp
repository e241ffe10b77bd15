#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/url.hpp"
#include "core/channel/control_api.hpp"

namespace par::core {

class HttpClient;
class RequestTokens;
struct HttpRequest;

/// The pull channel over HTTPS. Control thread only.
class ControlClient : public ControlApi {
 public:
  struct Settings {
    Url api_url;                           ///< origin; a path in it comes before the API's own
    std::string reported_version;          ///< X-Datadog-OnPrem-Version
    std::string modes;                     ///< joined by commas
    Milliseconds request_timeout{30'000};  ///< for each whole exchange
    SystemTime started;                    ///< runner_started_at of each dequeue
  };
  /// Both references must outlive the client and its requests.
  ControlClient(HttpClient& http, RequestTokens& tokens, Settings settings);

  Cancel dequeue(Answered answered) override;
  void publish(std::shared_ptr<const std::string> body, Answered answered) override;
  void heartbeat(std::string body, Answered answered) override;
  void health_check(Answered answered) override;

  /// A dequeue brought a task: later dequeues tell when (last_task_received_at).
  void task_received(SystemTime when) { last_task_ = rfc3339(when); }

 private:
  HttpRequest request(std::string_view method, const std::string& url) const;

  HttpClient& http_;
  RequestTokens& tokens_;
  Milliseconds request_timeout_;
  std::string dequeue_url_;
  std::string publish_url_;
  std::string heartbeat_url_;
  std::string health_check_url_;
  std::vector<std::pair<std::string, std::string>> headers_;  // those equal for all requests
  std::string started_;
  std::string last_task_;
};

/// Is this process in a container? Looks for the marks that Docker, Podman, Kubernetes and systemd-nspawn
/// leave.
bool is_containerized();

}  // namespace par::core
