#include "core/plugin/call.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <limits>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/strings.hpp"
#include "core/plugin/result_check.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_text = 8u << 10;
/// Of a longer text only this much is kept until its secrets are taken out, so that the cut to k_max_text
/// cannot leave half a secret.
constexpr size_t k_max_raw_text = 64u << 10;
/// Longest single sleep; keeps time points far from overflow.
constexpr int64_t k_longest_wait_ms = 1'000'000'000'000;

std::string_view view(par_str text) {
  return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len);
}

/// Length of the valid UTF-8 sequence that `text` begins with; 0 if there is none.
size_t sequence_length(std::string_view text) {
  for (size_t length = 1; length <= std::min<size_t>(4, text.size()); ++length) {
    if (is_utf8(text.substr(0, length))) return length;
  }
  return 0;
}

std::string repair_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    valid += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(1, length));
  }
  return valid;
}

/// Nothing may be thrown into a plugin. What is thrown below is out-of-memory.
template <typename Function>
auto contained(par_status otherwise, Function function) noexcept -> par_status {
  try {
    return function();
  } catch (const std::exception&) {
    return otherwise;
  }
}

}  // namespace

std::string presentable(const Redactor& redactor, std::string_view text) {
  std::string clean = redactor.redact(cut_utf8(text, k_max_raw_text));
  if (!is_utf8(clean)) clean = repair_utf8(clean);
  if (clean.size() > k_max_text) clean.resize(cut_utf8(clean, k_max_text).size());
  return clean;
}

PluginCall::PluginCall(CallSubject subject, std::optional<SteadyTime> deadline, const PublishFrame* frame,
                       uint64_t max_result_bytes, const Log& log, Redactor& redactor)
    : PluginCall(std::stop_source(), std::move(subject), deadline, frame, max_result_bytes, log, redactor) {}

PluginCall::PluginCall(std::stop_source&& stop, CallSubject&& subject, std::optional<SteadyTime> deadline,
                       const PublishFrame* frame, uint64_t max_result_bytes, const Log& log,
                       Redactor& redactor)
    : CallScope(subject.plugin_namespace, subject.sec_datadog_header, stop.get_token(), deadline),
      stop_(std::move(stop)),
      subject_(std::move(subject)),
      frame_(frame),
      max_result_bytes_(frame == nullptr ? 0 : max_result_bytes),
      log_(log),
      redactor_(redactor),
      cancel_functions_([this] { misbehaviour("an on_cancel function threw an exception"); }),
      abi_(make_abi(this)) {}

par_call PluginCall::make_abi(PluginCall* self) {
  par_call abi{};
  abi.struct_size = sizeof abi;
  abi.host_data = static_cast<CallScope*>(self);
  abi.state = [](const par_call* call) { return PluginCall::self(call).state(); };
  abi.remaining_ms = [](const par_call* call) { return PluginCall::self(call).remaining_ms(); };
  abi.wait = [](const par_call* call, int64_t ms) {
    return contained(PAR_INTERNAL, [&] { return PluginCall::self(call).wait(ms); });
  };
  abi.on_cancel = [](const par_call* call, void (*function)(void*), void* argument, uint64_t* id) {
    return contained(PAR_INTERNAL, [&] { return PluginCall::self(call).on_cancel(function, argument, id); });
  };
  abi.off_cancel = [](const par_call* call, uint64_t id) {
    PluginCall::self(call).cancel_functions_.remove(id);
  };
  abi.secret = [](const par_call* call, par_bytes value) {
    contained(PAR_OK, [&] {
      PluginCall::self(call).add_secret(value);
      return PAR_OK;
    });
  };
  abi.max_result_bytes = [](const par_call* call) { return PluginCall::self(call).max_result_bytes_; };
  abi.result = [](const par_call* call, const par_str* parts, size_t count) {
    return contained(PAR_LIMIT, [&] { return PluginCall::self(call).result(parts, count); });
  };
  abi.error = [](const par_call* call, par_str message, par_str display) {
    contained(PAR_OK, [&] {
      PluginCall::self(call).error(message, display);
      return PAR_OK;
    });
  };
  return abi;
}

void PluginCall::cancel() {
  if (!stop_.request_stop()) return;
  if (!cancel_functions_.cancel()) {
    log_.error("no thread for the on_cancel functions of a call", {{"plugin", subject_.plugin_namespace}});
  }
}

PluginCall::Report PluginCall::finish() {
  if (const size_t left = cancel_functions_.finish(); left > 0) {
    misbehaviour(fmt::format("{} on_cancel function(s) were still registered at return", left));
  }
  if (const size_t left = drop_all(); left > 0) {
    misbehaviour(fmt::format("{} object(s) of host services were not released before return", left));
  }
  Report report;
  const std::scoped_lock lock(result_mutex_, mutex_);
  report.body = std::move(body_);
  report.described = described_;
  report.message = presentable(redactor_, message_);
  report.display = presentable(redactor_, display_);
  if (report.display == report.message) report.display.clear();
  return report;
}

void PluginCall::misbehaviour(std::string_view what) const {
  log_.warn(
      fmt::format("plugin misbehaviour: {}", what),
      {{"plugin", subject_.plugin_namespace}, {"action", subject_.action}, {"task_id", subject_.task_id}});
}

int32_t PluginCall::state() const {
  if (cancelled().stop_requested()) return PAR_STATE_CANCEL;
  return draining_.load(std::memory_order_relaxed) ? PAR_STATE_DRAIN : PAR_STATE_RUN;
}

int64_t PluginCall::remaining_ms() const {
  if (!deadline()) return std::numeric_limits<int64_t>::max();
  const auto left = std::chrono::ceil<Milliseconds>(*deadline() - std::chrono::steady_clock::now());
  return std::max<int64_t>(0, left.count());
}

par_status PluginCall::wait(int64_t ms) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  const Milliseconds time(std::clamp<int64_t>(ms, 0, k_longest_wait_ms));
  never.wait_for(lock, cancelled(), time, [] { return false; });
  return cancelled().stop_requested() ? PAR_CANCELLED : PAR_OK;
}

par_status PluginCall::on_cancel(CancelFunctions::Function function, void* argument, uint64_t* id) {
  if (function == nullptr || id == nullptr) {
    misbehaviour("on_cancel with a null pointer");
    return PAR_INVALID;
  }
  const auto added = cancel_functions_.add(function, argument);
  if (!added) return PAR_CANCELLED;
  *id = *added;
  return PAR_OK;
}

void PluginCall::add_secret(par_bytes value) {
  if (value.ptr == nullptr) return;
  auto registration = redactor_.add({reinterpret_cast<const char*>(value.ptr), value.len});
  const std::lock_guard lock(mutex_);
  secrets_.push_back(std::move(registration));
}

par_status PluginCall::result(const par_str* parts, size_t count) {
  const std::lock_guard lock(result_mutex_);
  if (frame_ == nullptr || body_) {
    misbehaviour(frame_ == nullptr ? "a result while the plugin is opened" : "a second result");
    return PAR_INVALID;
  }
  std::string problem;
  const par_status status = check_result(parts, count, max_result_bytes_, problem);
  if (status != PAR_OK) {
    if (status != PAR_LIMIT) misbehaviour("refused result: " + problem);
    return status;
  }
  size_t size = frame_->prefix.size() + frame_->suffix.size();
  for (size_t i = 0; i < count; ++i) size += parts[i].len;
  std::string body;
  body.reserve(size);
  body += frame_->prefix;
  for (size_t i = 0; i < count; ++i) body += view(parts[i]);
  body += frame_->suffix;
  body_ = std::move(body);
  return PAR_OK;
}

void PluginCall::error(par_str message, par_str display) {
  std::string new_message(cut_utf8(view(message), k_max_raw_text));
  std::string new_display(cut_utf8(view(display), k_max_raw_text));
  const std::lock_guard lock(mutex_);
  described_ = true;
  message_ = std::move(new_message);
  display_ = std::move(new_display);
}

}  // namespace par::core
