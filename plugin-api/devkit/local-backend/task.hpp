#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "plugin-api/devkit/local-backend/keyring.hpp"

namespace par::wire {
class PrivateActionTask;
}

namespace par::backend {

/// How one signature of a task is made.
struct SignaturePlan {
  std::string key;                    ///< id of the key that signs; empty: the ring's current one
  std::optional<std::string> key_id;  ///< id that the signature states instead
  std::optional<int64_t> key_type;    ///< type that it states instead
  bool damage = false;                ///< one bit is wrong
};

/// A task as a person asked for it: README.md, "A task". Shared by all copies of a bulk.
struct TaskSpec {
  std::string bundle_id;
  std::string action_name;
  std::string inputs_json;
  std::shared_ptr<const wire::PrivateActionTask> prototype;  ///< all but ids, organisation, runner and expiry
  std::string task_id;                                       ///< empty: made up
  int64_t client = 1;
  std::optional<uint64_t> trace_id;
  std::optional<uint64_t> span_id;
  int64_t count = 1;
  int64_t deliveries = 1;

  // Overrides.
  int64_t expires_in_seconds = 300;
  bool no_expiry = false;
  std::optional<int64_t> org_id;
  std::optional<std::string> runner_id;
  bool no_connection = false;
  int64_t hash_type = 1;
  std::vector<SignaturePlan> signatures{SignaturePlan{}};
  bool empty_data = false;
  bool no_envelope = false;
  std::optional<std::string> signed_data;
  bool no_job_id = false;
  std::optional<std::string> job_id;
  bool no_attributes = false;
  std::optional<std::string> outer_task_id;
  std::optional<std::string> outer_action;
  std::optional<std::string> body;
};

/// Reads one task. Errors name the member, what was found and what was expected; unknown members are errors,
/// with the nearest known name, since a misspelt override would silently test nothing.
Result<std::shared_ptr<const TaskSpec>> parse_task(const json::Value& task);

/// What a delivery adds to a task.
struct Delivery {
  std::string task_id;
  std::string job_id;
  int64_t org_id = 0;
  std::string runner_id;
  core::SystemTime now;
};

/// The body of the answer to a dequeue. Error: a key that `keys` does not have.
Result<std::string> dequeue_answer(const TaskSpec& spec, const Delivery& delivery, Keyring& keys);

/// The signed bytes of a task: PrivateActionTask in the protobuf encoding, map entries in order.
std::string signed_bytes(const TaskSpec& spec, const Delivery& delivery);

}  // namespace par::backend
