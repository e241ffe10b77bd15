#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/channel/outcome.hpp"
#include "core/verify/verified_task.hpp"

namespace par::core {

/// The operator's list of actions that may run: full names, `<bundle>.*`, and the actions that these imply.
class ActionsAllowlist {
 public:
  explicit ActionsAllowlist(const std::vector<std::string>& entries);

  /// Is this action allowed, by an entry or by implication? Exact, case-sensitive.
  bool allows(std::string_view bundle_id, std::string_view action_name) const;
  /// Bundles with at least one allowed action, implied ones included.
  std::vector<std::string> bundles() const;
  /// Bundles that an entry names (not only implied ones): the ones whose absence is worth a warning.
  std::vector<std::string> named_bundles() const;
  /// One text for each entry that can allow nothing: without a dot, or unlike any known action (with the
  /// nearest one). Entries of bundles that are not installed are left out when `known` has no action of that
  /// bundle.
  std::vector<std::string> warnings(const std::vector<std::string>& known_actions) const;
  size_t size() const { return entries_; }

 private:
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>>
      actions_;  ///< bundle -> names or "*"
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> implied_;
  std::vector<std::string> useless_;
  size_t entries_ = 0;
};

/// A verified task whose action the operator allows. Only allow() makes one.
class AllowedTask {
 public:
  const VerifiedTask& task() const { return task_; }
  VerifiedTask& task() { return task_; }

 private:
  friend Result<AllowedTask, Failure> allow(VerifiedTask&& task, const ActionsAllowlist& allowlist);
  explicit AllowedTask(VerifiedTask&& task) : task_(std::move(task)) {}
  VerifiedTask task_;
};

/// Checks the action against the allowlist. The failure (code 2) names the missing entry and where to add it.
Result<AllowedTask, Failure> allow(VerifiedTask&& task, const ActionsAllowlist& allowlist);

}  // namespace par::core
