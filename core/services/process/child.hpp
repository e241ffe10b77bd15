#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include <par/process.h>

#include "core/services/process/spawn.hpp"
#include "core/services/process/supervisor/protocol.h"

namespace par::core {

/// One stream of a child: how much of it is delivered, dropped or kept.
class OutputStream {
 public:
  OutputStream(uint32_t overflow, uint64_t most) : overflow_(overflow), most_(most) {}

  /// Bytes that may still be delivered as they come.
  uint64_t room() const { return most_ - delivered_; }
  /// Takes note that `count` bytes went to the plugin.
  void delivered(size_t count) { delivered_ += count; }
  /// Takes bytes that may not be delivered now: dropped, or kept as the tail in a ring of at most `most`
  /// bytes.
  void overflow(const char* bytes, size_t count);
  /// Copies the next kept bytes; 0 when none is left.
  size_t take_kept(uint8_t* buffer, size_t capacity);
  uint64_t dropped() const { return dropped_; }

 private:
  uint32_t overflow_;
  uint64_t most_;
  uint64_t delivered_ = 0;
  uint64_t dropped_ = 0;
  std::string ring_;  ///< the tail; grows to most_, then oldest_ wanders
  size_t oldest_ = 0;
  size_t taken_ = 0;
};

/// A run of one program, as the host holds it for a plugin. Its par_child base is what the plugin sees. All
/// functions on one thread at a time; only the cancellation comes from elsewhere.
class Child : public par_child {
 public:
  /// A child that was never started.
  explicit Child(SpawnFailure failure);
  /// Takes over a supervisor that was just spawned. `cancelled` ends the run.
  Child(Spawned spawned, const par_process_request& request, std::stop_token cancelled);
  /// Kills what still runs; takes milliseconds, or a second if a process cannot be killed.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Waits until the program runs. On failure `failure` and `failure_text` are set; `program` and `directory`
  /// are for the text.
  par_status wait_started(std::string_view program, std::string_view directory);
  /// par_process.read.
  par_status read(int32_t& stream, uint8_t* buffer, size_t capacity, size_t& got);

 private:
  void command(char what) noexcept;
  std::optional<par_supervisor_event> receive();
  par_status fail(par_status status, std::string text);
  par_status finish();
  std::optional<size_t> read_pipe(FileDescriptor& pipe, OutputStream& stream, uint8_t* buffer,
                                  size_t capacity);
  void reap() noexcept;

  std::string text_;  ///< what failure_text points to
  pid_t supervisor_ = -1;
  FileDescriptor control_;
  FileDescriptor pipes_[2];
  uint32_t overflow_ = PAR_OVERFLOW_KILL;
  OutputStream streams_[2];
  bool over_limit_ = false;
  bool lost_ = false;  ///< the supervisor went without a report
  std::optional<par_supervisor_event> ended_;
  std::optional<par_status> answer_;  ///< of read(), once all is over
  size_t next_ = 0;                   ///< the stream to look at first, so that none starves
  /// Last, so that no cancellation comes while the rest is taken apart.
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;
};

/// Reaps supervisors that were still busy with unkillable processes when their child was released.
void reap_late_supervisors() noexcept;

}  // namespace par::core
