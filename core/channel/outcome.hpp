#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace par::core {

/// The protocol's error codes.
enum class ErrorCode : int {
  internal_error = 1,
  action_error = 2,
  connection_error = 3,
  signature_key_not_found = 4,
  signature_error = 5,
  expired_task = 6,
  mismatched_org_id = 7,
  mismatched_runner_id = 8,
};

/// What publish and heartbeat echo back to Datadog, as it stood in the dequeue answer.
struct TaskAddress {
  std::string task_id;
  std::string job_id;
  std::string action_fqn;  ///< bundle id, a dot, action name
  int64_t client = 0;
};

/// Why a task has no result.
struct Failure {
  ErrorCode code = ErrorCode::internal_error;
  std::string message;  ///< detail for those who run the runner (error_details)
  std::string display;  ///< what the user of the workflow sees (api_error); empty: the same as message
};

/// A result, already inside the body of its publish request so that large outputs are not copied again.
struct Success {
  std::string publish_body;
};

using Outcome = std::variant<Success, Failure>;

/// Text before and after the outputs in the body that publishes a success.
struct PublishFrame {
  std::string prefix;
  std::string suffix;
};
PublishFrame success_frame(const TaskAddress& address);

/// The whole body that publishes a failure.
std::string failure_body(const TaskAddress& address, const Failure& failure);

/// The body of a heartbeat.
std::string heartbeat_body(const TaskAddress& address);

}  // namespace par::core
