#include "core/services/process/process_service.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <string>

#include "core/services/call_scope.hpp"
#include "core/services/process/child.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

/// What the C functions need; set by the one ProcessService.
struct Runtime {
  std::string supervisor;
  const Log* log = nullptr;
};
Runtime runtime;

/// The sooner of the request's own limit and the call's, in milliseconds from now; below zero if there is
/// none.
int64_t timeout_of(const par_process_request& request, const CallScope& scope) {
  int64_t timeout = request.timeout_ms > 0 ? request.timeout_ms : -1;
  if (scope.deadline()) {
    const auto left =
        std::chrono::ceil<Milliseconds>(*scope.deadline() - std::chrono::steady_clock::now()).count();
    timeout = timeout < 0 ? left : std::min(timeout, left);
    timeout = std::max<int64_t>(timeout, 0);
  }
  return timeout;
}

std::string_view view(par_bytes bytes) {
  return bytes.len == 0 ? std::string_view()
                        : std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}

/// Makes the child in all cases, so that the plugin always has one to look at and to release.
std::shared_ptr<Child> make_child(const CallScope& scope, const par_process_request& request) {
  if (scope.cancelled().stop_requested()) {
    const bool late = scope.deadline_passed();
    return std::make_shared<Child>(
        SpawnFailure{late ? PAR_DEADLINE : PAR_CANCELLED,
                     late ? "the call's time limit has passed" : "the call was cancelled", false});
  }
  auto spawned = spawn_supervisor(runtime.supervisor, request, timeout_of(request, scope));
  if (!spawned) {
    if (spawned.error().defect) {
      runtime.log->error("A child process could not be started",
                         {{"namespace", scope.plugin_namespace()}, {"error", spawned.error().message}});
    }
    return std::make_shared<Child>(std::move(spawned.error()));
  }
  auto child = std::make_shared<Child>(std::move(*spawned), request, scope.cancelled());
  child->wait_started(view(request.argv[0]), request.directory.len == 0 ? "/" : view(request.directory));
  return child;
}

par_status start(const par_call* call, const par_process_request* request, par_child** child) try {
  reap_late_supervisors();
  auto& scope = CallScope::of(call);
  par_process_request
      known{};  // a caller built against a later header may have more; only what is known counts
  std::copy_n(reinterpret_cast<const char*>(request), std::min<size_t>(request->struct_size, sizeof known),
              reinterpret_cast<char*>(&known));
  auto made = make_child(scope, known);
  *child = made.get();
  const par_status status = made->failure;
  scope.keep(std::shared_ptr<void>(made, *child));
  return status;
} catch (const std::bad_alloc&) {
  *child = nullptr;
  return PAR_INTERNAL;
}

par_status read(const par_call* call, par_child* child, int32_t* stream, uint8_t* buffer, size_t capacity,
                size_t* got) try {
  const par_status status = static_cast<Child*>(child)->read(*stream, buffer, capacity, *got);
  // At its deadline a call is cancelled too; the reason is the more useful answer.
  if (status == PAR_CANCELLED && CallScope::of(call).deadline_passed()) return child->failure = PAR_DEADLINE;
  return status;
} catch (const std::bad_alloc&) {
  return PAR_INTERNAL;
}

void release(const par_call* call, par_child* child) {
  if (child != nullptr) CallScope::of(call).drop(child);
  reap_late_supervisors();
}

constexpr par_process k_table{sizeof(par_process), 0, start, read, release};

}  // namespace

ProcessService::ProcessService(std::filesystem::path supervisor, const Log& log) {
  runtime = {supervisor.string(), &log};
}

ProcessService::~ProcessService() {
  runtime = {};
}

const par_process* ProcessService::table() const {
  return &k_table;
}

}  // namespace par::core
