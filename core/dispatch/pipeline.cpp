#include "core/dispatch/pipeline.hpp"

#include <chrono>
#include <utility>

#include "core/identity/identity.hpp"
#include "core/verify/keys.hpp"
#include "core/verify/verified_task.hpp"

namespace par::core {

Prepared Pipeline::prepare(RawTask&& raw, const KeySet& keys) {
  const SystemTime now = std::chrono::system_clock::now();
  auto verified = verify(std::move(raw), keys, self_, now);
  if (!verified) return std::move(verified.error());
  // Only what is signed gets into the memory, so nobody else can fill it.
  const TaskAddress& address = verified->address();
  if (!replays_.first_time(address.task_id, address.job_id, verified->expires(), now)) return Duplicate{};
  auto allowed = allow(std::move(*verified), allowlist_);
  if (!allowed) return std::move(allowed.error());
  auto ready = make_ready(std::move(*allowed), context_);
  if (!ready) return std::move(ready.error());
  return std::move(*ready).take();
}

}  // namespace par::core
