#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "plugin-api/devkit/local-backend/enrollment.hpp"
#include "plugin-api/devkit/local-backend/events.hpp"
#include "plugin-api/devkit/local-backend/faults.hpp"
#include "plugin-api/devkit/local-backend/queue.hpp"
#include "plugin-api/devkit/local-backend/remote_config.hpp"
#include "plugin-api/devkit/local-backend/request_token.hpp"
#include "plugin-api/devkit/local-backend/server.hpp"
#include "plugin-api/devkit/local-backend/state.hpp"

namespace par::backend {

/// What happened so far, as GET /statistics shows it.
struct Counters {
  int64_t dequeues = 0;
  int64_t empty_dequeues = 0;
  int64_t delivered = 0;
  int64_t published = 0;
  int64_t rejected_publishes = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  int64_t heartbeats = 0;
  int64_t heartbeats_404 = 0;
  int64_t health_checks = 0;
  int64_t remote_config_polls = 0;
  int64_t enrolled = 0;
  int64_t unauthorized = 0;
  int64_t faults = 0;
  int64_t most_concurrent_dequeues = 0;
};

/// What both sides share. Everything happens on the loop's one thread.
struct Backend {
  Backend(Loop& the_loop, std::filesystem::path the_directory, State the_state)
      : loop(the_loop),
        directory(std::move(the_directory)),
        state(std::move(the_state)),
        remote_config(state.tuf, state.remote_config_version, state.org_id),
        tokens(state.runner_key, state.org_id, state.runner_id),
        enrollment(state.enrolled, state.api_key, state.app_key),
        waiters(the_loop) {
    for (const EnrolledRunner& runner : state.enrolled) tokens.add(runner.id, runner.public_key);
  }

  Loop& loop;
  std::filesystem::path directory;
  State state;
  RemoteConfig remote_config;
  TokenChecker tokens;
  Enrollment enrollment;
  std::string scheme = "https";  ///< of the runner's side
  Queue queue;
  EventLog events;
  Faults faults;
  Waiters waiters;
  Counters counters;
  std::map<std::string, Milliseconds, std::less<>> delays;  ///< by route
  std::optional<int64_t> retry_after_ms;                    ///< on empty dequeues
  int64_t dequeues_in_flight = 0;
  const Server* runner_server = nullptr;  ///< for the counters of connections
  std::function<void()> stop;

  /// Writes what must outlive the process: after each change of keys, runners or Remote Config.
  Result<void> save() {
    state.enrolled = enrollment.runners();
    state.tuf = remote_config.signer();
    state.remote_config_version = remote_config.version();
    return save_state(directory, state);
  }
};

/// The side that plays Datadog.
Handler runner_face(Backend& backend);
/// The side for people and tests. Requests need `token`.
Handler control_face(Backend& backend, std::string token);

/// {"error": message} with that status.
Reply error_reply(int status, std::string_view message);

}  // namespace par::backend
