#include "core/verify/replay.hpp"

#include <cstring>
#include <string>

#include "core/base/digest.hpp"

namespace par::core {

// Ids come from outside and may be long; half a SHA-256 stands for them. The length keeps ("a", "bc") and
// ("ab", "c") apart.
ReplayMemory::Digest ReplayMemory::digest(std::string_view task_id, std::string_view job_id) {
  const std::string whole =
      sha256(std::to_string(task_id.size()) + ':' + std::string(task_id) + std::string(job_id));
  Digest half{};
  std::memcpy(half.data(), whole.data(), half.size());
  return half;
}

bool ReplayMemory::first_time(std::string_view task_id, std::string_view job_id, SystemTime expires,
                              SystemTime now) {
  const Digest id = digest(task_id, job_id);
  const std::lock_guard lock(mutex_);
  while (!by_expiry_.empty() && by_expiry_.begin()->first < now) {
    seen_.erase(by_expiry_.begin()->second);
    by_expiry_.erase(by_expiry_.begin());
  }
  if (!seen_.insert(id).second) return false;
  by_expiry_.emplace(expires, id);
  if (seen_.size() > capacity_) {
    seen_.erase(by_expiry_.begin()->second);
    by_expiry_.erase(by_expiry_.begin());
  }
  return true;
}

}  // namespace par::core
