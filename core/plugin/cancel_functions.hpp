#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace par::core {

/// The functions that a plugin wants to be run when its call is cancelled (on_cancel). A thread exists only
/// from a cancel with registered functions until none is left: it runs them one after the other, and again
/// every 500 ms, since a library's own cancel is lost when it comes before the operation that it should end
/// has begun. Thread-safe.
class CancelFunctions {
 public:
  using Function = void (*)(void* argument);
  using Id = uint64_t;

  /// `on_exception` is told when a function threw, which it must not.
  explicit CancelFunctions(std::function<void()> on_exception) : on_exception_(std::move(on_exception)) {}
  /// finish() must have been called.
  ~CancelFunctions() = default;
  CancelFunctions(const CancelFunctions&) = delete;
  CancelFunctions& operator=(const CancelFunctions&) = delete;

  /// Registers a function; nothing if cancel() was called already, then it will never run.
  std::optional<Id> add(Function function, void* argument);

  /// Removes a function. Returns when it is not running and will not run again; on the thread that runs it,
  /// at once.
  void remove(Id id);

  /// Begins to run the functions. Only the first call counts. False if no thread could be had.
  bool cancel();

  /// Removes what is left, waits for a function that runs, ends the thread. How many were left. Not to be
  /// called from a registered function.
  size_t finish();

 private:
  struct Entry {
    Function function;
    void* argument;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Id, Entry> entries_;
  Id last_id_ = 0;
  Id running_ = 0;  ///< 0: none
  bool cancelled_ = false;
  std::thread thread_;
  std::function<void()> on_exception_;
};

}  // namespace par::core
