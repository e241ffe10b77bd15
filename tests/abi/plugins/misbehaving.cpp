// A plugin on the bare ABI whose actions break its contract, or go to its limits, each in its own way.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <par/plugin.h>
#include <unistd.h>

extern "C" const char par_manifest_begin[];
extern "C" const char par_manifest_end[];

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

const par_host* the_host = nullptr;

par_str str(std::string_view text) {
  return {text.data(), text.size()};
}

par_status give(const par_call* call, std::string_view json) {
  const par_str part = str(json);
  return call->result(call, &part, 1);
}

par_status fail(const par_call* call, std::string_view message, std::string_view display = "",
                par_status status = PAR_ERROR) {
  call->error(call, str(message), str(display));
  return status;
}

/// Sleeps in the system, where no cancel reaches it.
void sleep_deaf(milliseconds time) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) std::this_thread::sleep_for(milliseconds(5));
}

par_status huge(const par_call* call) {
  const std::string filler(1 << 20, 'x');
  std::vector<par_str> parts(17, str(filler));
  parts.front() = str(R"({"data":")");
  parts.back() = str("\"}");
  const par_status status = call->result(call, parts.data(), parts.size());
  if (status == PAR_LIMIT) return fail(call, "the answer is too large", "", status);
  return status;
}

/// A library that blocks until it is interrupted from another thread.
par_status interrupted_library(const par_call* call) {
  std::atomic<int> interrupts = 0;
  uint64_t id = 0;
  const auto interrupt = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
  if (call->on_cancel(call, interrupt, &interrupts, &id) != PAR_OK)
    return fail(call, "cancelled before it began");
  // The first interrupt is lost, as it is when it comes before a library's operation has begun.
  while (interrupts < 2) std::this_thread::sleep_for(milliseconds(5));
  call->off_cancel(call, id);
  return fail(call, "interrupted by on_cancel", "", PAR_CANCELLED);
}

par_status until_drained(const par_call* call) {
  while (call->state(call) == PAR_STATE_RUN) std::this_thread::sleep_for(milliseconds(5));
  return give(call, call->state(call) == PAR_STATE_DRAIN ? R"({"state":"drain"})" : R"({"state":"cancel"})");
}

par_status execute(par_instance* /*instance*/, const par_request* request, const par_call* call) {
  static int nobody = 0;
  const std::string_view action(request->action.ptr, request->action.len);
  uint64_t id = 0;
  if (action == "ok") return give(call, "{}");
  if (action == "no_result") return PAR_OK;
  if (action == "two_results") {
    const par_status first = give(call, R"({"result":1})");
    return give(call, R"({"result":2})") == PAR_INVALID ? first : PAR_INTERNAL;
  }
  if (action == "invalid_json") return give(call, R"({"a":)"), PAR_OK;
  if (action == "lone_surrogate") return give(call, R"({"a":"\udc00"})"), PAR_OK;
  if (action == "second_attempt") return give(call, "[]") == PAR_BAD_RESULT ? give(call, "{}") : PAR_INTERNAL;
  if (action == "huge") return huge(call);
  if (action == "result_and_error") return give(call, "{}"), fail(call, "failed after all");
  if (action == "throws") throw std::runtime_error("out of cheese");
  if (action == "throws_an_int") throw 42;
  if (action == "fails") return fail(call, "status 503 from db1", "the database is down");
  if (action == "fails_silently") return PAR_ERROR;
  if (action == "fails_by_policy") return fail(call, "host is not allowed", "", PAR_POLICY);
  if (action == "internal") return fail(call, "table overflow", "", PAR_INTERNAL);
  if (action == "unknown_status") return 99;
  if (action == "long_error") return fail(call, "x" + std::string(100'000, '\xC3') + "\xA4");
  if (action == "secret_error") {
    const std::string_view secret = "correct horse battery";
    call->secret(call, {reinterpret_cast<const uint8_t*>(secret.data()), secret.size()});
    return fail(call, "login with correct horse battery was refused");
  }
  if (action == "sleeps_in_wait") {
    the_host->log(the_host, call, PAR_LOG_INFO, str("waiting"));
    if (call->wait(call, 60'000) == PAR_OK) return give(call, "{}");
    return fail(call, "interrupted; job 17 goes on", "", PAR_CANCELLED);
  }
  if (action == "sleeps_in_library") return sleep_deaf(milliseconds(1'500)), give(call, "{}");
  if (action == "late_success") {
    while (call->state(call) != PAR_STATE_CANCEL) sleep_deaf(milliseconds(1));
    return give(call, call->remaining_ms(call) == 0 ? R"({"remaining":0})" : "{}");
  }
  if (action == "fails_at_deadline") {
    while (call->remaining_ms(call) > 0) {
    }
    return fail(call, "no answer");
  }
  if (action == "never_returns") {
    for (;;) ::pause();
  }
  if (action == "interrupted_library") return interrupted_library(call);
  if (action == "leaves_on_cancel") {
    call->on_cancel(
        call, [](void*) {}, &nobody, &id);
    return give(call, "{}");
  }
  if (action == "until_drained") return until_drained(call);
  if (action == "unlisted_service") {
    return give(call, the_host->service(the_host, "par.process/1") == nullptr &&
                              the_host->service(the_host, "par.http/1") != nullptr
                          ? R"({"kept":true})"
                          : R"({"kept":false})");
  }
  return fail(call, "no such action", "", PAR_INTERNAL);
}

par_status open_plugin(const par_host* host, par_str /*settings*/, const par_call* /*call*/,
                       par_instance** instance) {
  the_host = host;
  *instance = nullptr;
  return PAR_OK;
}

void close_plugin(par_instance* /*instance*/) {
  the_host->log(the_host, nullptr, PAR_LOG_INFO, str("closed"));
}

par_str manifest() {
  return str({par_manifest_begin, static_cast<size_t>(par_manifest_end - par_manifest_begin)});
}

constexpr par_plugin k_table = {PAR_MAGIC, sizeof(par_plugin), PAR_ABI_MAJOR, PAR_ABI_MINOR, 0,      0,
                                manifest,  open_plugin,        close_plugin,  execute,       nullptr};

}  // namespace

extern "C" PAR_EXPORT const par_plugin* par_plugin_v1() {
  return &k_table;
}
