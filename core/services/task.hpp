#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace par::core {

/// A coroutine that one other coroutine awaits. It starts when it is awaited and runs on the awaiter's
/// thread; if it never has to wait it ends without suspending, so the same code serves a blocking caller
/// (whose waits block) and an event loop (whose waits suspend). Destroying a task destroys the suspended
/// coroutine with all it holds.
template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle done) const noexcept {
      return done.promise().continuation ? done.promise().continuation : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  struct promise_type {  // NOLINT(readability-identifier-naming): the language looks for this name
    std::optional<T> value;
    std::exception_ptr error;
    std::coroutine_handle<> continuation;  ///< set once the awaiter had to suspend

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    template <typename U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
    void unhandled_exception() { error = std::current_exception(); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// Runs until the first wait that suspends, or to the end. Only for a task that nobody awaits, once.
  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }
  /// The result of a task that is done.
  T take() {
    auto& promise = handle_.promise();
    if (promise.error) std::rethrow_exception(promise.error);
    return std::move(*promise.value);
  }

  bool await_ready() {
    handle_.resume();
    return handle_.done();
  }
  void await_suspend(std::coroutine_handle<> awaiter) noexcept { handle_.promise().continuation = awaiter; }
  T await_resume() { return take(); }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

}  // namespace par::core
