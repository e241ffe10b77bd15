// The plugin against a fake server: what a real one cannot be made to do.

#include "fake_server.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <par/json.hpp>

#include "plugin-api/tests/run_action.hpp"
#include "temporal.pb.h"
#include "tests/catch.hpp"

namespace wire = temporal_plugin::wire;
using par::test::FakeHost;
using temporal_plugin::test::FakeServer;

namespace {

constexpr int k_internal = 13;
constexpr const char* k_start = R"({"workflowType":"Order","taskQueue":"orders","workflowId":"order-17"})";
constexpr const char* k_result = R"({"workflowId":"order-17","runId":"run-1"})";
constexpr const char* k_info = "GetSystemInfo";
constexpr const char* k_history = "GetWorkflowExecutionHistory";

void check_contains(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
}

// gRPC rounds up what it sends, and the call takes time to arrive.
void check_deadline(const FakeServer::Call& call, double expected_seconds) {
  CHECK(call.seconds_left <= expected_seconds * 1.02);
  CHECK(call.seconds_left > expected_seconds - 0.9);
}

// Pauses of the plugin, in milliseconds. They pass at once.
std::vector<int64_t> g_pauses;

struct Host : FakeHost {
  Host() {
    max_result = 1 << 20;
    g_pauses.clear();
    call.wait = [](const par_call*, int64_t ms) {
      g_pauses.push_back(ms);
      return par_status{PAR_OK};
    };
  }
};

par_status run(FakeHost& host, const FakeServer& server, const char* action, std::string_view inputs,
               std::string_view settings = "{}") {
  // No name service knows this name, so only the host's answer can lead to the server.
  const std::string connection =
      R"({"id":"c","auth":"token","root_tokens":[{"name":"address","value":"temporal.invalid:)" +
      std::to_string(server.port()) + R"("}]})";
  const par_status status = par::test::run_action(host, action, inputs, connection, settings);
  CHECK(host.cancels.empty());
  return status;
}

FakeServer::Answer good(const google::protobuf::MessageLite& message) {
  return {.response = message.SerializeAsString()};
}

FakeServer::Answer system_info(bool differentiates_internal) {
  wire::GetSystemInfoResponse info;
  info.mutable_capabilities()->set_internal_error_differentiation(differentiates_internal);
  return good(info);
}

FakeServer::Answer started(const std::string& run_id) {
  wire::StartWorkflowExecutionResponse response;
  response.set_run_id(run_id);
  return good(response);
}

// Answers the history call with this, everything else as a server that is well.
FakeServer::Answer with_history(const FakeServer::Call& call,
                                const wire::GetWorkflowExecutionHistoryResponse& history) {
  return call.method == k_history ? good(history) : system_info(true);
}

wire::GetWorkflowExecutionHistoryResponse json_history(const std::string& json) {
  wire::GetWorkflowExecutionHistoryResponse response;
  wire::DataBlob& blob = *response.add_raw_history();
  blob.set_encoding_type(2);
  blob.set_data(json);
  return response;
}

par_status result_of(FakeHost& host, const wire::GetWorkflowExecutionHistoryResponse& history) {
  const FakeServer server([&](const auto& call) { return with_history(call, history); });
  return run(host, server, "getWorkflowResult", k_result);
}

}  // namespace

TEST_CASE("the request has the documented path, headers and fields, and goes where the host says") {
  Host host;
  const FakeServer server(
      [](const auto& call) { return call.method == k_info ? system_info(true) : started("run-1"); });
  CHECK(run(host, server, "runWorkflow",
            R"({"workflowType":"Order","taskQueue":"orders","workflowId":"order-17","namespace":"shop",
                "workflowArgs":["a",null,{"b":[1,2.5,true]}]})") == PAR_OK);
  CHECK(host.result == R"({"runId":"run-1"})");
  CHECK(host.sent == "temporal.invalid:" + std::to_string(server.port()));

  const auto calls = server.calls();
  REQUIRE(calls.size() == 2);
  for (const auto& call : calls) {
    CHECK(call.path == "/temporal.api.workflowservice.v1.WorkflowService/" + call.method);
    CHECK(call.authority == "temporal.invalid:" + std::to_string(server.port()));
    CHECK(call.metadata.at("client-name") == "par-runner");
    CHECK(!call.metadata.at("client-version").empty());
    CHECK(call.metadata.at("supported-server-versions") == ">=1.0.0 <2.0.0");
    CHECK(call.metadata.count("authorization") == 0);
  }
  CHECK(calls[0].method == k_info);
  CHECK(calls[0].metadata.count("temporal-namespace") == 0);
  CHECK(calls[1].metadata.at("temporal-namespace") == "shop");

  wire::StartWorkflowExecutionRequest request;
  REQUIRE(request.ParseFromString(calls[1].request));
  CHECK(request.namespace_() == "shop");
  CHECK(request.workflow_id() == "order-17");
  CHECK(request.workflow_type().name() == "Order");
  CHECK(request.task_queue().name() == "orders");
  CHECK(request.task_queue().kind() == 1);
  CHECK(request.request_id().size() == 36);
  check_contains(request.identity(), "@");
  REQUIRE(request.input().payloads_size() == 3);
  CHECK(request.input().payloads(0).metadata().at("encoding") == "json/plain");
  CHECK(request.input().payloads(0).data() == "\"a\"");
  CHECK(request.input().payloads(1).metadata().at("encoding") == "binary/null");
  CHECK(request.input().payloads(1).data().empty());
  CHECK(request.input().payloads(2).data() == R"({"b":[1,2.5,true]})");
}

TEST_CASE("failures that may pass are tried again, with one request id and growing pauses") {
  for (const int code : {2, 8, 10, 14}) {
    Host host;
    host.remaining = INT64_MAX;
    int failures = 3;
    const FakeServer server([&](const auto& call) -> FakeServer::Answer {
      if (call.method == k_info) return system_info(true);
      if (failures-- > 0) return {.code = code, .text = "not now"};
      return started("run-1");
    });
    INFO("code " << code);
    CHECK(run(host, server, "runWorkflow", k_start) == PAR_OK);
    CHECK(g_pauses == std::vector<int64_t>{200, 400, 800});
    const auto calls = server.calls();
    REQUIRE(calls.size() == 5);
    for (const auto& call : calls) {
      if (call.method != k_info) CHECK(call.request == calls[1].request);
    }
  }
}

TEST_CASE("other failures are final") {
  for (const int code : {1, 3, 4, 5, 6, 7, 9, 11, 12, 15, 16}) {
    Host host;
    const FakeServer server([&](const auto& call) -> FakeServer::Answer {
      if (call.method == k_info) return system_info(true);
      return {.code = code, .text = "because"};
    });
    INFO("code " << code);
    CHECK(run(host, server, "runWorkflow", k_start) == PAR_ERROR);
    check_contains(host.message, "StartWorkflowExecution failed with");
    check_contains(host.message, "because");
    const bool unknown = code == 1 || code == 4 || code == 15;
    CHECK((host.message.find("workflow \"order-17\" may have been started") != std::string::npos) == unknown);
    CHECK(server.calls().size() == 2);
  }
}

TEST_CASE("an internal error is tried again only if the server does not tell passing ones from others") {
  for (const bool differentiates : {true, false}) {
    Host host;
    int failures = 1;
    const FakeServer server([&](const auto& call) -> FakeServer::Answer {
      if (call.method == k_info) return system_info(differentiates);
      if (failures-- > 0) return {.code = k_internal, .text = "broken"};
      return started("run-1");
    });
    CHECK((run(host, server, "runWorkflow", k_start) == PAR_OK) == !differentiates);
  }
}

TEST_CASE("retries end when the time of the task does, and say how many there were") {
  Host host;
  host.remaining = 100;
  int64_t* const remaining = &host.remaining;
  const FakeServer server([&](const auto& call) -> FakeServer::Answer {
    if (call.method == k_info) return system_info(true);
    *remaining -= 30;
    return {.code = 14, .text = "not now"};
  });
  CHECK(run(host, server, "runWorkflow", k_start) == PAR_ERROR);
  CHECK(g_pauses == std::vector<int64_t>{20, 20});
  check_contains(host.message, "not now (after 3 attempts)");
}

TEST_CASE("a server without GetSystemInfo is fine, one that refuses it is not") {
  Host host;
  const FakeServer old([](const auto& call) -> FakeServer::Answer {
    if (call.method == k_info) return {.code = 12, .text = "unknown method"};
    return started("run-1");
  });
  CHECK(run(host, old, "runWorkflow", k_start) == PAR_OK);

  Host refused;
  const FakeServer closed([](const auto&) -> FakeServer::Answer { return {.code = 7, .text = "go away"}; });
  CHECK(run(refused, closed, "runWorkflow", k_start) == PAR_ERROR);
  check_contains(refused.message, "GetSystemInfo failed with PERMISSION_DENIED: go away");
  CHECK(closed.calls().size() == 1);
}

TEST_CASE("every call has a deadline") {
  struct Row {
    int64_t remaining_ms;
    double expected_s;
  };
  for (const auto& [remaining, expected] :
       {Row{INT64_MAX, 10}, Row{60'000, 10}, Row{8'000, 4}, Row{500, 1}}) {
    Host host;
    host.remaining = remaining;
    const FakeServer server(
        [](const auto& call) { return call.method == k_info ? system_info(true) : started("run-1"); });
    CHECK(run(host, server, "runWorkflow", k_start) == PAR_OK);
    check_deadline(server.calls()[0], 5);
    check_deadline(server.calls()[1], expected);
  }
  Host host;
  const FakeServer server([](const auto& call) {
    wire::GetWorkflowExecutionHistoryResponse response;
    response.mutable_history()->add_events()->mutable_completed();
    return with_history(call, response);
  });
  CHECK(run(host, server, "getWorkflowResult", k_result) == PAR_OK);
  check_deadline(server.calls()[1], 65);
}

TEST_CASE("answers that are no answers fail the action") {
  Host no_run;
  const FakeServer empty(
      [](const auto& call) { return call.method == k_info ? system_info(true) : started(""); });
  CHECK(run(no_run, empty, "runWorkflow", k_start) == PAR_ERROR);
  check_contains(no_run.message, "no run id");

  Host garbage;
  const FakeServer noise([](const auto& call) -> FakeServer::Answer {
    if (call.method == k_info) return system_info(true);
    return {.response = "\xff\xff\xff"};
  });
  CHECK(run(garbage, noise, "runWorkflow", k_start) == PAR_ERROR);
  check_contains(garbage.message, "not a message of this method");

  Host bad_item;
  wire::ListWorkflowExecutionsResponse list;
  list.add_executions("\x0a\x7f");
  const FakeServer bad_list(
      [&](const auto& call) { return call.method == k_info ? system_info(true) : good(list); });
  CHECK(run(bad_item, bad_list, "listWorkflows", "{}") == PAR_ERROR);
  check_contains(bad_item.message, "no protobuf message");

  Host nothing;
  CHECK(result_of(nothing, {}) == PAR_ERROR);
  check_contains(nothing.message, "neither a close event");
}

TEST_CASE("a history of an unknown ending or encoding is an error") {
  Host unknown;
  wire::GetWorkflowExecutionHistoryResponse history;
  history.mutable_history()->add_events()->set_event_type(99);
  CHECK(result_of(unknown, history) == PAR_ERROR);
  check_contains(unknown.message, "event type 99");

  Host lost;
  history.Clear();
  history.mutable_history()->add_events()->mutable_continued_as_new();
  CHECK(result_of(lost, history) == PAR_ERROR);
  check_contains(lost.message, "named no new run");

  Host encoding;
  history.Clear();
  history.add_raw_history()->set_encoding_type(7);
  CHECK(result_of(encoding, history) == PAR_ERROR);
  check_contains(encoding.message, "encoding 7");
}

TEST_CASE("the last event decides, and an empty blob is no event") {
  Host host;
  wire::GetWorkflowExecutionHistoryResponse history;
  wire::History events;
  events.add_events()->mutable_failed();
  events.add_events()->mutable_completed();
  auto& payload = *events.mutable_events(1)->mutable_completed()->mutable_result()->add_payloads();
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data("\"shipped\"");
  wire::DataBlob& blob = *history.add_raw_history();
  blob.set_encoding_type(1);
  blob.set_data(events.SerializeAsString());
  history.add_raw_history()->set_encoding_type(1);
  CHECK(result_of(host, history) == PAR_OK);
  CHECK(host.result == R"({"executionResult":"shipped"})");
}

TEST_CASE("raw history in JSON, of every ending") {
  struct Row {
    const char* json;
    const char* expected;  // in the result, or in the error
    bool good;
  };
  const Row rows[] = {
      {R"({"events":[{"eventType":"WorkflowExecutionCompleted","workflowExecutionCompletedEventAttributes":
          {"result":{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"InNoaXBwZWQi"}]}}}]})",
       "\"shipped\"", true},
      {R"([{"workflow_execution_completed_event_attributes":{"workflow_task_completed_event_id":"4"}}])",
       "\"executionResult\":\"\"", true},
      {R"({"events":[{"workflowExecutionFailedEventAttributes":
          {"failure":{"message":"activity error","cause":{"message":"card declined"}}}}]})",
       "failed: activity error: card declined", false},
      {R"({"events":[{"workflowExecutionTimedOutEventAttributes":{"retryState":"RETRY_STATE_TIMEOUT"}}]})",
       "timed out", false},
      {R"({"events":[{"workflowExecutionCanceledEventAttributes":{}}]})", "was canceled", false},
      {R"({"events":[{"workflowExecutionTerminatedEventAttributes":{"reason":"by hand"}}]})",
       "was terminated: by hand", false},
      {R"({"events":[{"workflowExecutionContinuedAsNewEventAttributes":{}}]})", "named no new run", false},
      {R"({"events":[{"eventType":"EVENT_TYPE_OTHER"}]})", "EVENT_TYPE_OTHER", false},
      {R"({"events":[]})", "neither a close event", false},
      {R"({"events":)", "not valid JSON", false},
      {R"({"events":[{"workflowExecutionCompletedEventAttributes":{"result":{"payloads":[{"data":"???"}]}}}]})",
       "not in base64", false},
  };
  for (const Row& row : rows) {
    INFO(row.json);
    Host host;
    CHECK(result_of(host, json_history(row.json)) == (row.good ? PAR_OK : PAR_ERROR));
    check_contains(row.good ? host.result : host.message, row.expected);
  }
}

TEST_CASE("successors are followed also in JSON, each run asked for by its id") {
  Host host;
  const FakeServer server([](const auto& call) {
    wire::GetWorkflowExecutionHistoryRequest request;
    if (call.method != k_history || !request.ParseFromString(call.request)) return system_info(true);
    const std::string& run = request.execution().run_id();
    return good(json_history(
        run == "run-1"
            ? R"({"events":[{"workflowExecutionFailedEventAttributes":{"newExecutionRunId":"run-2"}}]})"
        : run == "run-2"
            ? R"({"events":[{"workflowExecutionTimedOutEventAttributes":{"newExecutionRunId":"run-3"}}]})"
            : R"({"events":[{"workflowExecutionCompletedEventAttributes":{}}]})"));
  });
  CHECK(run(host, server, "getWorkflowResult", k_result) == PAR_OK);
  CHECK(server.calls().size() == 4);
}

TEST_CASE("successors that go round in a circle are an error") {
  Host host;
  const FakeServer server([](const auto& call) {
    wire::GetWorkflowExecutionHistoryRequest request;
    if (call.method != k_history || !request.ParseFromString(call.request)) return system_info(true);
    return good(json_history(
        request.execution().run_id() == "run-1"
            ? R"({"events":[{"workflowExecutionFailedEventAttributes":{"newExecutionRunId":"run-2"}}]})"
            : R"({"events":[{"workflowExecutionFailedEventAttributes":{"newExecutionRunId":"run-1"}}]})"));
  });
  CHECK(run(host, server, "getWorkflowResult", k_result) == PAR_ERROR);
  check_contains(host.message, "(run run-2) names run run-1 as its successor");
  CHECK(server.calls().size() == 3);
}

TEST_CASE("long polls without an event or an answer are asked again, but not without pause") {
  Host host;
  int empty = 3;
  const FakeServer server([&](const auto& call) -> FakeServer::Answer {
    if (call.method != k_history) return system_info(true);
    wire::GetWorkflowExecutionHistoryResponse response;
    if (empty == 2) {
      --empty;
      return {.code = 4, .text = "no event in time"};
    }
    if (empty > 0) {
      response.set_next_page_token("token-" + std::to_string(empty--));
    } else {
      response.mutable_history()->add_events()->mutable_completed();
    }
    return good(response);
  });
  CHECK(run(host, server, "getWorkflowResult", k_result) == PAR_OK);
  // An answer that took long on a busy machine is followed by no pause.
  CHECK(!g_pauses.empty());
  CHECK(std::count(g_pauses.begin(), g_pauses.end(), 200) == static_cast<int64_t>(g_pauses.size()));
  wire::GetWorkflowExecutionHistoryRequest last;
  REQUIRE(last.ParseFromString(server.calls().back().request));
  CHECK(last.next_page_token() == "token-1");
  CHECK(last.wait_new_event());
  CHECK(last.skip_archival());
  CHECK(last.history_event_filter_type() == 2);
}

TEST_CASE("what stands in a listed workflow comes as the API spells it") {
  // Bytes by hand: also fields that no real server of today would send, and fields that are not known here.
  const std::string execution =
      std::string("\x0a\x09\x0a\x04id-1\x12\x01r") +                             // execution
      std::string("\x1a\x0b\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01", 13) +  // start_time, before 1970
      std::string("\x28\x01\x30\x00", 4) +                                       // status 1, history_length 0
      std::string("\x52\x0b\x0a\x09\x0a\x01k\x12\x04\x12\x02\x00\xff", 13) +     // memo
      std::string("\x62\x06\x0a\x02\x30\x01\x0a\x00", 8) +                       // auto_reset_points: two
      std::string("\xc2\x01\x05\x1d\x00\x00\x20\x40", 8) +                       // priority: weight 2.5
      std::string("\xa0\x06\x07\xa9\x06\x01\x02\x03\x04\x05\x06\x07\x08", 13);   // numbers 100, 101
  wire::ListWorkflowExecutionsResponse list;
  list.add_executions(execution);
  list.add_executions("");
  Host host;
  const FakeServer server(
      [&](const auto& call) { return call.method == k_info ? system_info(true) : good(list); });
  CHECK(run(host, server, "listWorkflows", "{}") == PAR_OK);
  CHECK(
      host.result ==
      R"({"workflows":[{"execution":{"workflow_id":"id-1","run_id":"r"},"start_time":{"seconds":-62135596800},)"
      R"("status":1,"memo":{"fields":{"k":{"data":"AP8="}}},"auto_reset_points":{"points":[{"resettable":true},{}]},)"
      R"("priority":{"fairness_weight":2.5}},{}]})");
}

TEST_CASE("with reuseRunning the run that stands in the way is the result, if the server names it") {
  wire::AlreadyStarted failure;
  failure.set_run_id("run-7");
  wire::ErrorDetails details;
  details.add_details()->set_type_url("type.googleapis.com/other");
  auto& detail = *details.add_details();
  detail.set_type_url(
      "type.googleapis.com/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure");
  detail.set_value(failure.SerializeAsString());
  for (const auto& bytes : {details.SerializeAsString(), std::string()}) {
    const FakeServer server([&](const auto& call) -> FakeServer::Answer {
      if (call.method == k_info) return system_info(true);
      return {.code = 6, .text = "already running", .details = bytes};
    });
    Host host;
    CHECK((run(host, server, "runWorkflow", k_start, R"({"reuseRunning":true})") == PAR_OK) ==
          !bytes.empty());
    CHECK(host.result == (bytes.empty() ? "" : R"({"runId":"run-7"})"));
  }
}
