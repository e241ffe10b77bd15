#include "core/plugin/cancel_functions.hpp"

#include <chrono>
#include <system_error>

namespace par::core {

namespace {
constexpr std::chrono::milliseconds k_repeat{500};
}

std::optional<CancelFunctions::Id> CancelFunctions::add(Function function, void* argument) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return {};
  entries_.emplace(++last_id_, Entry{function, argument});
  return last_id_;
}

void CancelFunctions::remove(Id id) {
  std::unique_lock lock(mutex_);
  entries_.erase(id);
  changed_.notify_all();
  if (std::this_thread::get_id() == thread_.get_id()) return;
  changed_.wait(lock, [&] { return running_ != id; });
}

bool CancelFunctions::cancel() {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return true;
  cancelled_ = true;
  if (entries_.empty()) return true;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

size_t CancelFunctions::finish() {
  std::unique_lock lock(mutex_);
  cancelled_ = true;  // a thread of the plugin that comes late finds the door closed
  const size_t left = entries_.size();
  entries_.clear();
  changed_.notify_all();
  lock.unlock();
  if (thread_.joinable()) thread_.join();
  return left;
}

void CancelFunctions::run() {
  std::unique_lock lock(mutex_);
  while (!entries_.empty()) {
    Id after = 0;
    for (auto next = entries_.upper_bound(after); next != entries_.end();
         next = entries_.upper_bound(after)) {
      after = running_ = next->first;
      const Entry entry = next->second;
      lock.unlock();
      try {
        entry.function(entry.argument);
      } catch (...) {
        on_exception_();
      }
      lock.lock();
      running_ = 0;
      changed_.notify_all();
    }
    changed_.wait_for(lock, k_repeat, [&] { return entries_.empty(); });
  }
}

}  // namespace par::core
