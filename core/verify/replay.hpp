#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/time.hpp"

namespace par::core {

/// Remembers which tasks have been taken on, so that none runs twice. A pair of task id and job id is kept
/// until the task expires, since verify() refuses it from then on. Thread-safe.
class ReplayMemory {
 public:
  /// At most `capacity` pairs (about 150 bytes each) are kept; beyond that the one that expires first is
  /// forgotten.
  explicit ReplayMemory(size_t capacity = 65'536) : capacity_(capacity) {}

  /// True if this pair was not taken on before; it is then remembered until `expires`.
  bool first_time(std::string_view task_id, std::string_view job_id, SystemTime expires, SystemTime now);

 private:
  using Digest = std::array<uint8_t, 16>;
  static Digest digest(std::string_view task_id, std::string_view job_id);

  const size_t capacity_;
  std::mutex mutex_;
  std::set<Digest> seen_;
  std::set<std::pair<SystemTime, Digest>> by_expiry_;
};

}  // namespace par::core
