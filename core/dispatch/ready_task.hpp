#pragma once

#include <optional>
#include <utility>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/channel/outcome.hpp"
#include "core/plugin/invoker.hpp"
#include "core/policy/allowlist.hpp"

namespace par::core {

class Catalog;
class CredentialResolver;

/// What make_ready() needs beside the task. The references must outlive its calls.
struct ReadyContext {
  const Catalog& catalog;
  const CredentialResolver& credentials;
  std::optional<Milliseconds> task_timeout;  ///< for tasks without a `timeout` input
};

/// An allowed task with everything that its plugin needs: valid inputs and resolved credentials. Only
/// make_ready() makes one.
class ReadyTask {
 public:
  Invocation take() && { return std::move(invocation_); }

 private:
  friend Result<ReadyTask, Failure> make_ready(AllowedTask&& allowed, const ReadyContext& context);
  explicit ReadyTask(Invocation invocation) : invocation_(std::move(invocation)) {}
  Invocation invocation_;
};

/// Finds the library and the action (code 1 if there is none), checks the inputs (code 2, with the path
/// inside them) and reads the credentials (code 1), in this order: what is refused never opens a credential
/// file. Reads files, so not for the control thread.
Result<ReadyTask, Failure> make_ready(AllowedTask&& allowed, const ReadyContext& context);

}  // namespace par::core
