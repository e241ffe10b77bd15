#include "core/dispatch/health.hpp"

#include <algorithm>
#include <utility>

namespace par::core {
namespace {

constexpr std::chrono::seconds k_alive_for{60};
constexpr std::chrono::minutes k_ready_for{2};

}  // namespace

Health::Health(Now now) : now_(std::move(now)), last_tick_(now_()) {}

void Health::tick() {
  const std::lock_guard lock(mutex_);
  last_tick_ = now_();
}

void Health::control_succeeded(Milliseconds wait) {
  const std::lock_guard lock(mutex_);
  const SteadyTime until = now_() + k_ready_for + wait;
  ready_until_ = ready_until_ ? std::max(*ready_until_, until) : until;
}

void Health::keys(std::string problem) {
  const std::lock_guard lock(mutex_);
  key_problem_ = std::move(problem);
}

void Health::draining(std::string reason) {
  const std::lock_guard lock(mutex_);
  draining_ = std::move(reason);
}

LocalServer::Report Health::liveness() const {
  const std::lock_guard lock(mutex_);
  if (now_() - last_tick_ <= k_alive_for) return {true, {}};
  return {false, {"the control thread has not moved for a minute"}};
}

LocalServer::Report Health::readiness() const {
  const std::lock_guard lock(mutex_);
  LocalServer::Report report;
  if (!draining_.empty()) report.reasons.push_back(draining_);
  if (!key_problem_.empty()) report.reasons.push_back(key_problem_);
  if (!ready_until_) {
    report.reasons.emplace_back("no call to Datadog has succeeded yet");
  } else if (now_() > *ready_until_) {
    report.reasons.emplace_back("no call to Datadog has succeeded for more than two minutes");
  }
  report.ok = report.reasons.empty();
  return report;
}

}  // namespace par::core
