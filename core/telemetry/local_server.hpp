#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace par::core {

/// The plain HTTP server for the orchestrator's probes and for Prometheus: /liveness, /readiness, the
/// configured health path and /metrics, on every address of the machine. It has no access to tasks, and
/// connections that say nothing cannot keep a probe waiting.
class LocalServer {
 public:
  /// What a probe is told. Reasons are for people and hold no secret and no URN.
  struct Report {
    bool ok = false;
    std::vector<std::string> reasons;
  };
  using Probe = std::function<Report()>;  ///< called on a thread of the server

  struct Settings {
    uint16_t port = 9016;  ///< 0: any free port (for tests)
    Milliseconds read_timeout{10'000};
    Milliseconds write_timeout{60'000};
    std::string health_path = "/healthz";  ///< answers as /liveness
    Probe liveness;
    Probe readiness;
    std::function<std::string()> metrics;  ///< Prometheus' text format; called on a thread of the server
  };

  /// Listens on [::] (which takes IPv4 too) or, without IPv6, on 0.0.0.0. The error names the port.
  static Result<std::unique_ptr<LocalServer>> start(Settings settings);
  /// Stops listening and waits for answers in progress.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  uint16_t port() const;

 private:
  LocalServer();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace par::core
