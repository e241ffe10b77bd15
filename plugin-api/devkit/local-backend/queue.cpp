#include "plugin-api/devkit/local-backend/queue.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"

namespace par::backend {
namespace {

// Benchmarks publish gigabytes; nobody looks at the first of them any more.
constexpr size_t k_most_outcome_bytes = size_t{256} << 20;

std::string job_key(const std::string& task_id, const std::string& job_id) {
  return task_id + '\0' + job_id;
}

// Ids are unlike those of an earlier process, so a runner's replay memory never takes a new job for an old
// one.
const std::string& process_tag() {
  static const std::string tag = core::hex_encode(core::random_bytes(3));
  return tag;
}

}  // namespace

std::string_view name_of(TaskRecord::State state) {
  switch (state) {
    case TaskRecord::State::queued:
      return "queued";
    case TaskRecord::State::running:
      return "running";
    case TaskRecord::State::succeeded:
      return "succeeded";
    case TaskRecord::State::failed:
      return "failed";
    case TaskRecord::State::forgotten:
      return "forgotten";
  }
  return "queued";
}

std::vector<std::string> Queue::add(const std::shared_ptr<const TaskSpec>& spec) {
  std::vector<std::string> ids;
  ids.reserve(static_cast<size_t>(spec->count));
  for (int64_t i = 0; i < spec->count; ++i) {
    std::string id =
        spec->task_id.empty() ? fmt::format("task-{}-{}", process_tag(), ++numbers_) : spec->task_id;
    TaskRecord& task = tasks_[id];
    task.id = id;
    task.spec = spec;
    task.state = TaskRecord::State::queued;
    for (int64_t n = 0; n < spec->deliveries; ++n) waiting_.push_back(&task);
    ids.push_back(std::move(id));
  }
  return ids;
}

TaskRecord* Queue::take() {
  if (waiting_.empty()) return nullptr;
  TaskRecord* const task = waiting_.front();
  waiting_.pop_front();
  task->job_id = task->spec->job_id.value_or(fmt::format("job-{}-{}", process_tag(), ++numbers_));
  ++task->deliveries;
  task->state = TaskRecord::State::running;
  // The runner answers to the ids of the unsigned part.
  open_[job_key(task->spec->outer_task_id.value_or(task->id), task->job_id)] = task;
  return task;
}

Queue::Verdict Queue::heartbeat(const std::string& task_id, const std::string& job_id) {
  const std::string key = job_key(task_id, job_id);
  const auto found = open_.find(key);
  if (found == open_.end()) return closed_.count(key) != 0 ? Verdict::closed : Verdict::unknown_job;
  ++found->second->heartbeats;
  return Verdict::accepted;
}

Queue::Published Queue::publish(const std::string& task_id, const std::string& job_id, bool success,
                                std::string action_fqn, std::string outcome) {
  const std::string key = job_key(task_id, job_id);
  const auto found = open_.find(key);
  if (found == open_.end()) {
    if (TaskRecord* const task = find(task_id)) ++task->publishes;
    return {closed_.count(key) != 0 ? Verdict::closed : Verdict::unknown_job, nullptr};
  }
  TaskRecord& task = *found->second;
  open_.erase(found);
  ++task.publishes;
  closed_.insert(key);
  task.state = success ? TaskRecord::State::succeeded : TaskRecord::State::failed;
  task.action_fqn = std::move(action_fqn);
  task.published_at = std::chrono::system_clock::now();
  keep(task, std::move(outcome));
  return {Verdict::accepted, &task};
}

TaskRecord* Queue::find(const std::string& task_id) {
  const auto found = tasks_.find(task_id);
  return found == tasks_.end() ? nullptr : &found->second;
}

void Queue::forget(TaskRecord& task) {
  for (auto job = open_.begin(); job != open_.end();) {
    if (job->second == &task) {
      closed_.insert(job->first);
      job = open_.erase(job);
    } else {
      ++job;
    }
  }
  task.state = TaskRecord::State::forgotten;
}

void Queue::clear() {
  waiting_.clear();
  open_.clear();
  closed_.clear();
  kept_.clear();
  kept_bytes_ = 0;
  tasks_.clear();
}

void Queue::keep(TaskRecord& task, std::string outcome) {
  kept_bytes_ += outcome.size();
  kept_.emplace_back(task.id, outcome.size());
  task.outcome = std::move(outcome);
  while (kept_bytes_ > k_most_outcome_bytes && kept_.size() > 1) {
    if (TaskRecord* const old = find(kept_.front().first)) old->outcome = std::string();
    kept_bytes_ -= kept_.front().second;
    kept_.pop_front();
  }
}

}  // namespace par::backend
