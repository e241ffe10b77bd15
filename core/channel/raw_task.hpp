#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/channel/outcome.hpp"

namespace par::core {

/// The signed envelope as received: bytes already decoded, nothing checked.
struct SignedEnvelope {
  struct Signature {
    int64_t key_type = 0;
    std::string key_id;
    std::string signature;
  };
  std::string data;
  int64_t hash_type = 0;
  std::vector<Signature> signatures;
};

/// A task as Datadog's dequeue answer states it. Nothing in it can be trusted; only verify() may look inside
/// the envelope, and the rest serves to address the answer.
struct RawTask {
  TaskAddress address;
  bool has_attributes = false;
  uint64_t trace_id = 0;
  uint64_t span_id = 0;
  std::optional<SignedEnvelope> envelope;
};

/// Reads the body of a dequeue answer, at most 48 MiB and 256 levels deep. Unknown members are skipped
/// without keeping them; `inputs` outside the envelope is one of them. The body is taken over, since it is
/// parsed in place. An error means that the body is not a task.
Result<RawTask> parse_dequeue_answer(std::string body);

}  // namespace par::core
