#include "plugin-api/devkit/par-plugin/host.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "core/plugin/result_check.hpp"

namespace par::kit {
namespace {

using std::chrono::milliseconds;

// For a call that polls until something ends that never will.
constexpr milliseconds k_patience{60'000};

std::string copy(par_bytes bytes) {
  return bytes.len == 0 ? std::string() : std::string(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}

}  // namespace

Host::Host(const Behaviour& behaviour, const std::vector<std::string>& services)
    : behaviour_(behaviour),
      services_(services),
      abi_(
          par_host{sizeof(par_host), behaviour.tables == TableForm::newer ? PAR_ABI_MINOR + 7 : PAR_ABI_MINOR,
                   this, borrow("par-plugin"), borrow("1.0"),
                   [](const par_host* host, const par_call*, int32_t, par_str message) {
                     auto& self = *static_cast<Host*>(host->host_data);
                     const std::lock_guard lock(self.mutex_);
                     self.log_.push_back(kit::copy(message));
                   },
                   [](const par_host* host, par_bytes value) {
                     auto& self = *static_cast<Host*>(host->host_data);
                     const std::lock_guard lock(self.mutex_);
                     self.secrets_.push_back(copy(value));
                   },
                   [](const par_host* host, const char* id) -> const void* {
                     auto& self = *static_cast<Host*>(host->host_data);
                     const bool listed =
                         std::find(self.services_.begin(), self.services_.end(), id) != self.services_.end();
                     return listed && self.behaviour_.services ? find_service(id, self.behaviour_.tables)
                                                               : nullptr;
                   }},
          behaviour.tables) {}

std::vector<std::string> Host::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

std::vector<std::string> Host::secrets() const {
  const std::lock_guard lock(mutex_);
  return secrets_;
}

par_call Call::functions(Call* self) {
  return {sizeof(par_call),
          0,
          self,
          [](const par_call* call) { return of(call).state(); },
          [](const par_call* call) { return of(call).remaining_ms(); },
          [](const par_call* call, int64_t ms) {
            return of(call).wait(milliseconds(std::clamp<int64_t>(ms, 0, 3'600'000)));
          },
          [](const par_call* call, void (*fn)(void*), void* arg, uint64_t* id) -> par_status {
            const auto added = of(call).cancel_functions_.add(fn, arg);
            if (added) *id = *added;
            return added ? PAR_OK : PAR_CANCELLED;
          },
          [](const par_call* call, uint64_t id) { of(call).cancel_functions_.remove(id); },
          [](const par_call* call, par_bytes value) {
            const std::lock_guard lock(of(call).mutex_);
            of(call).report_.secrets.push_back(copy(value));
          },
          [](const par_call* call) { return of(call).behaviour_.max_result_bytes; },
          [](const par_call* call, const par_str* parts, size_t count) -> par_status {
            Call& me = of(call);
            const std::lock_guard lock(me.mutex_);
            std::string problem;
            par_status status = core::check_result(parts, count, me.behaviour_.max_result_bytes, problem);
            if (me.report_.result) {
              status = PAR_INVALID;
              problem = "there is an accepted result already";
            }
            if (status != PAR_OK) {
              me.report_.refusal = status;
              me.report_.refusal_text = problem;
              return status;
            }
            me.report_.result.emplace();
            for (size_t i = 0; i < count; ++i) *me.report_.result += kit::copy(parts[i]);
            return PAR_OK;
          },
          [](const par_call* call, par_str message, par_str display) {
            const std::lock_guard lock(of(call).mutex_);
            of(call).report_.described = true;
            of(call).report_.message = kit::copy(message);
            of(call).report_.display = kit::copy(display);
          }};
}

Call::Call(const Behaviour& behaviour, std::vector<Answer> answers,
           const std::map<std::string, std::string>& hosts)
    : behaviour_(behaviour),
      answers_(std::move(answers)),
      hosts_(hosts),
      cancelled_(behaviour.cancelled),
      cancel_functions_([] {}),
      abi_(functions(this), behaviour.tables) {
  if (cancelled_) cancel_functions_.cancel();
  const auto after = behaviour.cancel_after ? behaviour.cancel_after : behaviour.limit;
  if (!after) return;
  clock_ = std::thread([this, after] {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_until(lock, started_ + *after, [this] { return finished_; })) return;
    }
    cancel();
  });
}

Call::~Call() {
  finish();
}

Call::Report Call::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return report_;
    finished_ = true;
  }
  changed_.notify_all();
  if (clock_.joinable()) clock_.join();
  const size_t left = cancel_functions_.finish();
  const std::lock_guard lock(mutex_);
  report_.functions_left = left;
  report_.objects_left = objects_.size();
  objects_.clear();
  return report_;
}

void Call::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  changed_.notify_all();
  cancel_functions_.cancel();
}

int32_t Call::state() const {
  const std::lock_guard lock(mutex_);
  return cancelled_ ? PAR_STATE_CANCEL : PAR_STATE_RUN;
}

int64_t Call::remaining_ms() const {
  if (!behaviour_.limit) return std::numeric_limits<int64_t>::max();
  const std::lock_guard lock(mutex_);
  const auto left = std::chrono::duration_cast<milliseconds>(started_ + *behaviour_.limit - passed_ -
                                                             std::chrono::steady_clock::now());
  return std::max<int64_t>(left.count(), 0);
}

par_status Call::wait_for_cancel() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return cancelled_; });
  return PAR_CANCELLED;
}

par_status Call::wait(milliseconds time) {
  std::unique_lock lock(mutex_);
  if (behaviour_.waits_pass && !cancelled_) {
    passed_ += time;
    if (passed_ < k_patience) return PAR_OK;
    lock.unlock();
    cancel();
    return PAR_CANCELLED;
  }
  return changed_.wait_for(lock, time, [this] { return cancelled_; }) ? PAR_CANCELLED : PAR_OK;
}

std::string Call::address_of(const std::string& host, uint16_t port) {
  const std::lock_guard lock(mutex_);
  ++report_.names;
  if (behaviour_.peer == nullptr) {
    const auto at = hosts_.find(host);
    return at == hosts_.end() ? "" : at->second;
  }
  auto peer = Peer::start(*behaviour_.peer, port);
  if (!peer) return "";
  ++report_.peers;
  return peers_.emplace_back(std::move(peer))->address();
}

template <typename Kind>
Kind Call::next_answer() {
  const std::lock_guard lock(mutex_);
  const size_t use = report_.uses.size();
  report_.uses.push_back(Answer(Kind()).index());
  if (behaviour_.hostile && use >= behaviour_.hostile_from) {
    if (const auto* const hostile = std::get_if<Kind>(&*behaviour_.hostile)) return *hostile;
  }
  if (answers_.empty()) return {};
  const size_t which = std::min(use, answers_.size() - 1);
  if (const auto* const answer = std::get_if<Kind>(&answers_[which])) return *answer;
  report_.misfit = fmt::format("use {} of a service is {}, but answers[{}] is a {}'s", use,
                               std::is_same_v<Kind, HttpAnswer> ? "a request" : "a program", which,
                               std::is_same_v<Kind, HttpAnswer> ? "program" : "server");
  return {};
}

template HttpAnswer Call::next_answer<HttpAnswer>();
template ProcessAnswer Call::next_answer<ProcessAnswer>();

void Call::handed_out(std::shared_ptr<void> object) {
  const std::lock_guard lock(mutex_);
  objects_.push_back(std::move(object));
}

std::shared_ptr<void> Call::take_back(const void* object) {
  const std::lock_guard lock(mutex_);
  const auto at =
      std::find_if(objects_.begin(), objects_.end(), [&](const auto& held) { return held.get() == object; });
  if (at == objects_.end()) {
    ++report_.released_twice;
    return nullptr;
  }
  auto held = std::move(*at);
  objects_.erase(at);
  return held;
}

}  // namespace par::kit
