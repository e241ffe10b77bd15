#include <string>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/channel/control_api.hpp"
#include "core/channel/outcome.hpp"
#include "core/channel/raw_task.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

const TaskAddress k_address{"task-0001", "job-9f2c", "com.datadoghq.script.runPredefinedScript", 1};

const std::string k_task = R"({
  "meta": [1, {"data": {"id": "not this"}}],
  "data": {
    "id": "task-0001", "type": "task",
    "attributes": {
      "name": "runPredefinedScript", "bundle_id": "com.datadoghq.script", "client": 1, "org_id": 4242,
      "job_id": "job-9f2c", "sec_datadog_header_value": "secdd",
      "inputs": {"name": "not this", "job_id": ["nor", {"signed_envelope": 5}], "n": 1e3, "b": true, "z": null},
      "trace_id": 18446744073709551615, "span_id": 81985529216486895, "connection_info": null,
      "signed_envelope": {
        "data": "ChNydW4=", "hash_type": 1, "extra": [[{}]],
        "signatures": [
          {"key_type": 2, "key_id": "key-2026-01", "signature": "mv9z7Q==", "more": {"key_id": "no"}},
          {"key_type": 1, "key_id": "second", "signature": ""}
        ]
      }
    }
  }
})";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a dequeue answer gives the task's address, trace and envelope, and nothing else") {
  const auto task = parse_dequeue_answer(k_task);
  REQUIRE(task);
  CHECK(task->address.task_id == "task-0001");
  CHECK(task->address.job_id == "job-9f2c");
  CHECK(task->address.action_fqn == "com.datadoghq.script.runPredefinedScript");
  CHECK(task->address.client == 1);
  CHECK(task->has_attributes);
  CHECK(task->trace_id == 18446744073709551615u);
  CHECK(task->span_id == 81985529216486895u);
  REQUIRE(task->envelope);
  CHECK(task->envelope->data == "\n\x13run");
  CHECK(task->envelope->hash_type == 1);
  REQUIRE(task->envelope->signatures.size() == 2);
  CHECK(task->envelope->signatures[0].key_type == 2);
  CHECK(task->envelope->signatures[0].key_id == "key-2026-01");
  CHECK(task->envelope->signatures[0].signature == "\x9a\xff\x73\xed");
  CHECK(task->envelope->signatures[1].key_id == "second");
}

TEST_CASE("a task may lack attributes, envelope and job id") {
  const auto bare = parse_dequeue_answer(R"({"data":{"id":"t","attributes":null}})");
  REQUIRE(bare);
  CHECK_FALSE(bare->has_attributes);
  const auto empty = parse_dequeue_answer(R"({"data":{"id":"t","attributes":{"signed_envelope":null}}})");
  REQUIRE(empty);
  CHECK(empty->has_attributes);
  CHECK_FALSE(empty->envelope);
  CHECK(empty->address.job_id.empty());
  CHECK(empty->address.action_fqn.empty());
}

TEST_CASE("a trace id that cannot be one does not cost the task") {
  for (const char* value : {"-1", "1.5", "\"x\"", "true", "99999999999999999999999", "null", "{}", "[1]"}) {
    CAPTURE(value);
    const auto task = parse_dequeue_answer(with(k_task, "18446744073709551615", value));
    if (value[0] == '{' || value[0] == '[') continue;  // refused below like any object in a scalar's place
    REQUIRE(task);
    CHECK(task->trace_id == 0);
  }
}

TEST_CASE("what is not a task is refused with the reason") {
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("5"), std::string("\"x\""), std::string("null"),
        std::string("{}"), std::string(R"({"data":null})"), std::string(R"({"data":[]})"),
        std::string(R"({"data":{}} x)"), std::string("{\"data\":{}}\0x", 13),
        with(k_task, "\"job-9f2c\"", "5"), with(k_task, "\"client\": 1", "\"client\": \"1\""),
        with(k_task, "\"client\": 1", "\"client\": 1.5"),
        with(k_task, "\"client\": 1", "\"client\": 18446744073709551615"), with(k_task, "ChNydW4=", "%%%"),
        with(k_task, "\"key_type\": 2", "\"key_type\": {}"),
        with(k_task, "\"hash_type\": 1", "\"hash_type\": []"), with(k_task, "secdd", "\xff"),
        with(k_task, "secdd", "\\udc00")}) {
    CAPTURE(body);
    const auto task = parse_dequeue_answer(body);
    REQUIRE_FALSE(task);
    CHECK_FALSE(task.error().message.empty());
  }
}

TEST_CASE("depth is bounded, also where members are skipped") {
  const auto nested = [](size_t depth) {
    return with(k_task, "\"n\": 1e3", "\"n\": " + std::string(depth, '[') + std::string(depth, ']'));
  };
  CHECK(parse_dequeue_answer(nested(252)));  // the array stands in four objects
  CHECK_FALSE(parse_dequeue_answer(nested(253)));
  CHECK_FALSE(parse_dequeue_answer(nested(1'000'000)));
}

TEST_CASE("a body of 15 MB is read and one of more than 48 MiB is refused") {
  const std::string data = base64_encode(std::string(15'000'000, 'd'));
  const auto task = parse_dequeue_answer(with(k_task, "ChNydW4=", data));
  REQUIRE(task);
  CHECK(task->envelope->data.size() == 15'000'000);
  CHECK_FALSE(parse_dequeue_answer(std::string((48u << 20) + 1, ' ')));
}

TEST_CASE("a success is the protocol's body around the outputs") {
  const PublishFrame frame = success_frame(k_address);
  CHECK(frame.prefix + R"({"exitCode":0})" + frame.suffix ==
        R"({"data":{"type":"taskUpdate","id":"succeed_task","attributes":{"task_id":"task-0001","client":1,)"
        R"("action_fqn":"com.datadoghq.script.runPredefinedScript","job_id":"job-9f2c",)"
        R"("payload":{"branch":"main","outputs":{"exitCode":0}}}}})");
}

TEST_CASE("a failure carries code, detail and the text for the user") {
  CHECK(failure_body(k_address, {ErrorCode::action_error, "internal text", "text for the user"}) ==
        R"({"data":{"type":"taskUpdate","id":"fail_task","attributes":{"task_id":"task-0001","client":1,)"
        R"("action_fqn":"com.datadoghq.script.runPredefinedScript","job_id":"job-9f2c",)"
        R"("payload":{"error_code":2,"error_details":"internal text","api_error":"text for the user"}}}})");
  const std::string same = failure_body(k_address, {ErrorCode::expired_task, "a \"quoted\"\ntext", ""});
  CHECK(
      same.find(R"("error_code":6,"error_details":"a \"quoted\"\ntext","api_error":"a \"quoted\"\ntext")") !=
      std::string::npos);
}

TEST_CASE("empty strings and a client of 0 are left out") {
  CHECK(heartbeat_body({"t", "", "", 0}) ==
        R"({"data":{"type":"heartbeat","id":"t","attributes":{"task_id":"t"}}})");
}

TEST_CASE("a heartbeat names the task") {
  CHECK(heartbeat_body(k_address) ==
        R"({"data":{"type":"heartbeat","id":"task-0001","attributes":{"task_id":"task-0001","client":1,)"
        R"("action_fqn":"com.datadoghq.script.runPredefinedScript","job_id":"job-9f2c"}}})");
}

TEST_CASE("at most 512 bytes of an error's body are quoted") {
  ControlAnswer answer;
  answer.status = 503;
  answer.body = std::string(600, 'x');
  CHECK(describe(answer) == "status 503: " + std::string(512, 'x'));
  CHECK(describe(fail("connection refused")) == "connection refused");
}
