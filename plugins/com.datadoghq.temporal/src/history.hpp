#pragma once

#include <optional>
#include <string>

#include "temporal.pb.h"

namespace temporal_plugin {

/// How one run of a workflow ended.
struct CloseEvent {
  enum class Kind { completed, failed, timed_out, canceled, terminated, continued_as_new, other };

  Kind kind = Kind::other;
  std::string successor;                ///< id of the run that goes on; empty if there is none
  std::optional<wire::Payload> result;  ///< of `completed`; a workflow may return nothing
  std::string text;  ///< the failure with its causes, the reason of a termination, or what `other` is
};

/// The last event of an answer; nothing if there is no event in it. Throws par::Error if a blob cannot be
/// read.
std::optional<CloseEvent> last_event(const wire::GetWorkflowExecutionHistoryResponse& response);

}  // namespace temporal_plugin
