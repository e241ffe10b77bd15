// The three actions.

#include <chrono>
#include <random>
#include <string>
#include <unordered_set>

#include <par/connection.hpp>
#include <par/json.hpp>
#include <par/plugin.hpp>
#include <unistd.h>

#include "endpoint.hpp"
#include "execution_json.hpp"
#include "history.hpp"
#include "payload.hpp"
#include "rpc.hpp"
#include "temporal.pb.h"

namespace temporal_plugin {
namespace {

using namespace std::chrono_literals;

constexpr int k_normal_task_queue = 1;
constexpr int k_close_event = 2;
constexpr std::string_view k_already_started =
    "type.googleapis.com/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure";

// A random UUID (version 4).
std::string random_id() {
  constexpr char k_digits[] = "0123456789abcdef";
  std::random_device source;
  std::string id = "xxxxxxxx-xxxx-4xxx-Nxxx-xxxxxxxxxxxx";
  for (char& c : id) {
    if (c == 'x') c = k_digits[source() % 16];
    if (c == 'N') c = k_digits[8 + source() % 4];
  }
  return id;
}

std::string identity() {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return std::to_string(getpid()) + "@" + host + "@";
}

// What every action starts with: inputs, connection, namespace.
class Task {
 public:
  Task(const par::Request& request, const par::Call& call)
      : endpoint_(read_endpoint(par::Connection(request.connection_json()))) {
    std::string error;
    if (!par::json::parse(request.inputs_json(), inputs_, error))
      throw par::Error(PAR_INTERNAL, "the inputs are not valid JSON: " + error);
    namespace_ = text("namespace");
    if (namespace_.empty()) namespace_ = "default";
    rpc_.emplace(endpoint_, namespace_, call);
  }

  const par::json::Value* input(std::string_view name) const { return par::json::find(inputs_, name); }
  std::string text(std::string_view name) const {
    const auto* const value = input(name);
    return value != nullptr && value->IsString() ? std::string(par::json::text(*value)) : std::string();
  }
  const std::string& temporal_namespace() const { return namespace_; }
  Rpc& rpc() { return *rpc_; }

 private:
  Endpoint endpoint_;
  par::json::Document inputs_;
  std::string namespace_;
  std::optional<Rpc> rpc_;
};

// Runs `body`; if the action is cut off in it, the error says what goes on without the runner.
template <typename Body>
auto explain_cut(const std::string& what_goes_on, Body&& body) {
  try {
    return body();
  } catch (const par::Error& error) {
    if (error.status() != PAR_CANCELLED) throw;
    throw par::Error(PAR_CANCELLED, error.message() + "; " + what_goes_on);
  }
}

// The id of the run that stands in the way of a start; empty if the server did not say.
std::string running_run(const RpcError& error) {
  wire::ErrorDetails details;
  if (error.code() != k_already_exists || !details.ParseFromString(error.details())) return {};
  for (const auto& detail : details.details()) {
    wire::AlreadyStarted started;
    if (detail.type_url() == k_already_started && started.ParseFromString(detail.value()))
      return started.run_id();
  }
  return {};
}

std::string run_id_json(const std::string& run_id) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("runId");
  writer.String(run_id);
  writer.EndObject();
  return buffer.GetString();
}

std::string current_run(Task& task, const std::string& workflow_id) {
  wire::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(task.temporal_namespace());
  request.mutable_execution()->set_workflow_id(workflow_id);
  wire::DescribeWorkflowExecutionResponse response;
  task.rpc().call("DescribeWorkflowExecution", request, response);
  return response.workflow_execution_info().execution().run_id();
}

// Waits until the run closes.
CloseEvent wait_until_closed(Task& task, const std::string& workflow_id, const std::string& run_id,
                             const par::Call& call) {
  wire::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(task.temporal_namespace());
  request.mutable_execution()->set_workflow_id(workflow_id);
  request.mutable_execution()->set_run_id(run_id);
  request.set_history_event_filter_type(k_close_event);
  request.set_wait_new_event(true);
  request.set_skip_archival(true);
  while (true) {
    const auto begin = std::chrono::steady_clock::now();
    wire::GetWorkflowExecutionHistoryResponse response;
    try {
      task.rpc().call("GetWorkflowExecutionHistory", request, response, Rpc::Kind::long_poll);
      if (auto event = last_event(response)) return std::move(*event);
      if (response.next_page_token().empty())
        throw par::Error("Temporal sent neither a close event of the workflow nor a token to go on with");
      request.set_next_page_token(response.next_page_token());
    } catch (const RpcError& error) {
      if (error.code() != k_deadline_exceeded) throw;  // a poll without an answer is asked again
    }
    // A server that does not wait is not asked without pause.
    if (std::chrono::steady_clock::now() - begin < 200ms) call.wait(200ms);
  }
}

class TemporalPlugin {
 public:
  explicit TemporalPlugin(const par::Setup& setup) : runtime_(setup.host) {
    par::json::Document settings;
    std::string error;
    if (!par::json::parse(setup.settings_json, settings, error))
      throw par::Error(PAR_INTERNAL, "the settings are not valid JSON: " + error);
    const auto flag = [&](std::string_view name) {
      const auto* const value = par::json::find(settings, name);
      return value != nullptr && value->IsTrue();
    };
    reuse_running_ = flag("reuseRunning");
    json_result_ = flag("jsonResult");
  }

  void run_workflow(const par::Request& action, par::Call& call) const {
    Task task(action, call);
    wire::StartWorkflowExecutionRequest request;
    request.set_namespace_(task.temporal_namespace());
    const std::string given_id = task.text("workflowId");
    request.set_workflow_id(given_id.empty() ? random_id() : given_id);
    request.mutable_workflow_type()->set_name(task.text("workflowType"));
    request.mutable_task_queue()->set_name(task.text("taskQueue"));
    request.mutable_task_queue()->set_kind(k_normal_task_queue);
    if (const auto* const arguments = task.input("workflowArgs");
        arguments != nullptr && arguments->IsArray()) {
      for (const auto& argument : arguments->GetArray())
        write_payload(argument, *request.mutable_input()->add_payloads());
    }
    request.set_identity(identity());
    // The same in every attempt: the server then knows a start that it has already done.
    request.set_request_id(random_id());

    const std::string unknown = "workflow \"" + request.workflow_id() + "\" may have been started";
    wire::StartWorkflowExecutionResponse response;
    try {
      explain_cut(unknown, [&] { task.rpc().call("StartWorkflowExecution", request, response); });
    } catch (const RpcError& error) {
      if (error.leaves_unknown()) throw par::Error(error.message() + "; " + unknown);
      const std::string running = reuse_running_ ? running_run(error) : std::string();
      if (running.empty()) throw;
      response.set_run_id(running);
    }
    if (response.run_id().empty()) {
      throw par::Error("Temporal accepted workflow \"" + request.workflow_id() +
                       "\" but gave no run id for it");
    }
    call.result(run_id_json(response.run_id()));
  }

  void list_workflows(const par::Request& action, par::Call& call) const {
    Task task(action, call);
    wire::ListWorkflowExecutionsRequest request;
    request.set_namespace_(task.temporal_namespace());
    request.set_query(task.text("query"));
    wire::ListWorkflowExecutionsResponse response;
    task.rpc().call("ListWorkflowExecutions", request, response);

    rapidjson::StringBuffer buffer;
    par::json::Writer writer(buffer);
    writer.StartArray();
    for (const std::string& execution : response.executions()) write_execution(execution, writer);
    writer.EndArray();
    call.result({"{\"workflows\":", {buffer.GetString(), buffer.GetSize()}, "}"});
  }

  void get_workflow_result(const par::Request& action, par::Call& call) const {
    Task task(action, call);
    const std::string workflow_id = task.text("workflowId");
    std::string run_id = task.text("runId");
    if (run_id.empty()) run_id = current_run(task, workflow_id);
    std::unordered_set<std::string> runs;
    while (true) {
      runs.insert(run_id);
      const std::string which = "workflow \"" + workflow_id + "\" (run " + run_id + ")";
      const CloseEvent event = explain_cut(which + " goes on without the runner", [&] {
        return wait_until_closed(task, workflow_id, run_id, call);
      });
      if (event.successor.empty()) {
        if (event.kind != CloseEvent::Kind::completed) fail(which, event);
        write_result(event, call);
        return;
      }
      if (runs.count(event.successor) != 0)
        throw par::Error(which + " names run " + event.successor +
                         " as its successor, which came before it: these runs go round in a circle");
      run_id = event.successor;
    }
  }

 private:
  [[noreturn]] static void fail(const std::string& which, const CloseEvent& event) {
    const auto text = [&](const char* what, const char* otherwise = "") {
      return which + " " + what + (event.text.empty() ? otherwise : ": " + event.text);
    };
    using Kind = CloseEvent::Kind;
    switch (event.kind) {
      case Kind::failed:
        throw par::Error(text("failed", " without saying why"));
      case Kind::timed_out:
        throw par::Error(text("timed out"));
      case Kind::canceled:
        throw par::Error(text("was canceled"));
      case Kind::terminated:
        throw par::Error(text("was terminated"));
      case Kind::continued_as_new:
        throw par::Error(text("was continued as new, but Temporal named no new run"));
      default:
        throw par::Error(text("ended in a way that this runner does not know"));
    }
  }

  void write_result(const CloseEvent& event, par::Call& call) const {
    rapidjson::StringBuffer buffer;
    par::json::Writer writer(buffer);
    writer.String(event.result ? read_result(*event.result, json_result_) : std::string());
    call.result({"{\"executionResult\":", {buffer.GetString(), buffer.GetSize()}, "}"});
  }

  GrpcRuntime runtime_;
  bool reuse_running_ = false;
  bool json_result_ = false;
};

}  // namespace
}  // namespace temporal_plugin

PAR_PLUGIN(temporal_plugin::TemporalPlugin, {"runWorkflow", &temporal_plugin::TemporalPlugin::run_workflow},
           {"listWorkflows", &temporal_plugin::TemporalPlugin::list_workflows},
           {"getWorkflowResult", &temporal_plugin::TemporalPlugin::get_workflow_result});
