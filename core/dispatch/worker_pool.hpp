#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/base/time.hpp"

namespace par::core {

/// Threads for actions. A thread is made when a job finds none idle and ends after a while without work, so
/// an idle runner has none. Thread-safe.
class WorkerPool {
 public:
  /// At most `limit` threads; a thread without work ends after `idle_life`.
  explicit WorkerPool(size_t limit, Milliseconds idle_life = Milliseconds(10'000));
  /// Runs what was submitted and waits for all threads. A job that never ends keeps it for ever: a process
  /// with such a job has to end without this destructor.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Runs `job`, which must not throw, on one of the threads, or later if all are at work. False, and nothing
  /// is kept, if the pool has no thread and the system gives it none.
  [[nodiscard]] bool submit(std::function<void()> job);
  /// Changes the number of threads: one more for each that a job will not give back.
  void set_limit(size_t limit);
  /// Jobs that are running now.
  size_t busy() const;
  size_t threads() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace par::core
