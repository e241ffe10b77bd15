#pragma once

#include <variant>

#include "core/channel/raw_task.hpp"
#include "core/dispatch/ready_task.hpp"
#include "core/policy/allowlist.hpp"
#include "core/verify/replay.hpp"

namespace par::core {

class KeySet;
struct RunnerUrn;

/// The job was handed out before. It is neither run nor published.
struct Duplicate {};

/// What became of a task on its way to the plugin.
using Prepared = std::variant<Invocation, Failure, Duplicate>;

/// The stages between Datadog's answer and the plugin, in the one order that their types allow: verify,
/// replay check, allowlist, library and action, inputs, credentials. Thread-safe; blocks on files.
class Pipeline {
 public:
  /// Everything must outlive the pipeline.
  Pipeline(const RunnerUrn& self, const ActionsAllowlist& allowlist, ReadyContext context)
      : self_(self), allowlist_(allowlist), context_(context) {}

  Prepared prepare(RawTask&& raw, const KeySet& keys);

 private:
  const RunnerUrn& self_;
  const ActionsAllowlist& allowlist_;
  ReadyContext context_;
  ReplayMemory replays_;
};

}  // namespace par::core
