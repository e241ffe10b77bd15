#include "core/dispatch/worker_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <openssl/crypto.h>

namespace par::core {

struct WorkerPool::State : std::enable_shared_from_this<State> {
  // Under the lock. False if the system gives no thread.
  bool add_thread() {
    try {
      std::thread([self = shared_from_this()] { self->work(); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    ++threads;
    return true;
  }

  void work() {
    std::unique_lock lock(mutex);
    while (threads <= limit) {
      if (jobs.empty()) {
        if (stopping) break;
        ++idle;
        wake.wait_for(lock, idle_life, [this] { return stopping || !jobs.empty() || threads > limit; });
        --idle;
        if (jobs.empty()) break;
      }
      std::function<void()> job = std::move(jobs.front());
      jobs.pop_front();
      ++busy;
      lock.unlock();
      job();
      job = nullptr;  // what it holds goes before the thread counts as free
      lock.lock();
      --busy;
    }
    // Its own clean-up at thread exit may lose against the end of the process.
    OPENSSL_thread_stop();
    --threads;
    gone.notify_all();
  }

  mutable std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable gone;
  std::deque<std::function<void()>> jobs;
  size_t limit = 0;
  Milliseconds idle_life{0};
  size_t threads = 0;
  size_t idle = 0;
  size_t busy = 0;
  bool stopping = false;
};

WorkerPool::WorkerPool(size_t limit, Milliseconds idle_life) : state_(std::make_shared<State>()) {
  state_->limit = limit;
  state_->idle_life = idle_life;
}

WorkerPool::~WorkerPool() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->wake.notify_all();
  state_->gone.wait(lock, [this] { return state_->threads == 0; });
}

bool WorkerPool::submit(std::function<void()> job) {
  std::unique_lock lock(state_->mutex);
  state_->jobs.push_back(std::move(job));
  // An idle thread may have been woken for an earlier job already, so all that wait are counted.
  if (state_->idle < state_->jobs.size() && state_->threads < state_->limit && !state_->add_thread() &&
      state_->threads == 0) {
    state_->jobs.pop_back();
    return false;
  }
  // Woken under the lock, the thread would only go to sleep again to wait for it.
  lock.unlock();
  state_->wake.notify_one();
  return true;
}

void WorkerPool::set_limit(size_t limit) {
  const std::lock_guard lock(state_->mutex);
  state_->limit = limit;
  while (state_->idle < state_->jobs.size() && state_->threads < limit && state_->add_thread()) {
  }
  state_->wake.notify_all();
}

size_t WorkerPool::busy() const {
  const std::lock_guard lock(state_->mutex);
  return state_->busy;
}

size_t WorkerPool::threads() const {
  const std::lock_guard lock(state_->mutex);
  return state_->threads;
}

}  // namespace par::core
