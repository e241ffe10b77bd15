#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/time.hpp"
#include "plugin-api/devkit/local-backend/task.hpp"

namespace par::backend {

/// What became of a task.
struct TaskRecord {
  std::string id;
  std::shared_ptr<const TaskSpec> spec;
  enum class State { queued, running, succeeded, failed, forgotten } state = State::queued;
  int64_t deliveries = 0;
  int64_t heartbeats = 0;
  int64_t publishes = 0;
  std::string job_id;      ///< of the newest delivery
  std::string action_fqn;  ///< as published
  std::string outcome;  ///< payload of the accepted publish, JSON; empty when there is none or it was dropped
  core::SystemTime published_at;
};

std::string_view name_of(TaskRecord::State state);

/// Tasks waiting, tasks handed out, and what came back. Everything in constant time, whatever the number of
/// tasks.
class Queue {
 public:
  /// Queues spec.count tasks and returns their ids. A task id that exists already is queued again.
  std::vector<std::string> add(const std::shared_ptr<const TaskSpec>& spec);

  /// Takes the next task for delivery, with a job id of its own; null if there is none.
  TaskRecord* take();

  enum class Verdict { accepted, unknown_job, closed };
  /// Looks whether the job is open, and counts the heartbeat.
  Verdict heartbeat(const std::string& task_id, const std::string& job_id);
  struct Published {
    Verdict verdict;
    const TaskRecord*
        task;  ///< whose outcome was accepted, or null; its id may differ from the published one
  };
  /// Takes the outcome of an open job and closes it.
  Published publish(const std::string& task_id, const std::string& job_id, bool success,
                    std::string action_fqn, std::string outcome);

  TaskRecord* find(const std::string& task_id);
  /// Closes all jobs of the task, as if Datadog had given up on it.
  void forget(TaskRecord& task);
  void clear();

  size_t queued() const { return waiting_.size(); }
  size_t open_jobs() const { return open_.size(); }

 private:
  void keep(TaskRecord& task, std::string outcome);

  std::unordered_map<std::string, TaskRecord> tasks_;
  std::deque<TaskRecord*> waiting_;
  std::unordered_map<std::string, TaskRecord*> open_;  ///< task id NUL job id
  std::unordered_set<std::string> closed_;             ///< published or forgotten, same key
  std::deque<std::pair<std::string, size_t>> kept_;    ///< task ids whose outcome is held, oldest first
  size_t kept_bytes_ = 0;
  uint64_t numbers_ = 0;
};

}  // namespace par::backend
