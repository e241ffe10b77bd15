#include "plugin-api/devkit/local-backend/task.hpp"

#include <chrono>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "plugin-api/devkit/local-backend/queue.hpp"
#include "plugin-api/devkit/local-backend/update_body.hpp"
#include "tests/catch.hpp"

using namespace par::backend;
namespace core = par::core;
namespace json = par::json;

namespace {

constexpr const char* k_signed_bytes =
    "ChNydW5QcmVkZWZpbmVkU2NyaXB0EhRjb20uZGF0YWRvZ2hxLnNjcmlwdBiSISIJdGFzay0wMDAxKg1zZWNkZC1leGFtcGxlMiwKFAoK"
    "c2NyaXB0"
    "TmFtZRIGGgRlY2hvChQKB3RpbWVvdXQSCREAAAAAAAA+"
    "QFKEAQoJY29ubi0wMDAxElkKC3Jvb3RfdG9rZW5zChJjb25maWdGaWxlTG9jYXRpb24i"
    "Ngo0L2V0Yy9kZC1hY3Rpb24tcnVubmVyL2NvbmZpZy9jcmVkZW50aWFscy9zY3JpcHQueWFtbBgBIhpydW5uZXItN1FtMWV4YW1wbGVF"
    "eGFtcGxl"
    "MFoGCICumaQPYAE=";
constexpr const char* k_signature =
    "mv9z7Ykokb/M2DzpkHBpK6CwekOlJ/uBS2GfFhL4FXUVELbHwghMGE8UDXKeEuSNTC79EC/5XpzWchrnRInFBw==";

std::string example_seed() {
  std::string seed;
  for (char byte = 0; byte < 32; ++byte) seed += byte;
  return seed;
}

Result<std::shared_ptr<const TaskSpec>> parse(const std::string& text) {
  const auto document = core::parse_json(text);
  REQUIRE(document);
  return parse_task(*document);
}

std::string refusal(const std::string& text) {
  const auto spec = parse(text);
  return spec ? "" : spec.error().message;
}

Keyring example_keys() {
  Keyring keys;
  SigningKey key;
  key.key = ed25519_key_from_seed(example_seed());
  key.file = key_file(key.type, key.key, "key-2026-01");
  keys.restore("key-2026-01", std::move(key));
  keys.sign_with("key-2026-01");
  return keys;
}

const Delivery k_delivery{"task-1", "job-1", 4242, "runner-1",
                          core::SystemTime(std::chrono::seconds(1767225600))};

json::Document answer(const std::string& task) {
  const auto spec = parse(task);
  REQUIRE(spec);
  Keyring keys = example_keys();
  const auto body = dequeue_answer(**spec, k_delivery, keys);
  REQUIRE(body);
  auto document = core::parse_json(*body);
  REQUIRE(document);
  return std::move(*document);
}

const json::Value& attributes(const json::Document& document) {
  return document["data"]["attributes"];
}

}  // namespace

TEST_CASE("a task is serialised and signed exactly as Datadog does it") {
  const auto spec = parse(R"({"action": "com.datadoghq.script.runPredefinedScript",
    "inputs": {"scriptName": "echo", "timeout": 30}, "sec_datadog_header": "secdd-example",
    "connection": {"id": "conn-0001", "tokens": [{"name": "root_tokens.configFileLocation",
      "yaml_file": "/etc/dd-action-runner/config/credentials/script.yaml"}]},
    "overrides": {"expires_in_seconds": 0}})");
  REQUIRE(spec);
  const Delivery delivery{"task-0001", "job-1", 4242, "runner-7Qm1exampleExample0",
                          core::SystemTime(std::chrono::seconds(4102444800))};
  const std::string bytes = signed_bytes(**spec, delivery);
  CHECK(core::base64_encode(bytes) == k_signed_bytes);

  Keyring keys = example_keys();
  CHECK(core::base64_encode(sign_digest(*keys.find("key-2026-01"), core::sha256(bytes))) == k_signature);
  CHECK(
      keys.find("key-2026-01")->file ==
      R"({"keyType":"ED25519","key":"LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUNvd0JRWURLMlZ3QXlFQUE2RUh2L1BPRUw0ZGNOMFk1MHZBbVdmazFqQ2JwUTFmSGR5R1pCSlZNYmc9Ci0tLS0tRU5EIFBVQkxJQyBLRVktLS0tLQo="})");
}

TEST_CASE("the answer to a dequeue has every member in its place") {
  const json::Document document = answer(
      R"({"action": "a.b.c", "inputs": {"x": [1, 2.5]}, "trace_id": 1311768467463790320, "client": 4})");
  CHECK(json::text(document["data"]["id"]) == "task-1");
  CHECK(json::text(document["data"]["type"]) == "task");
  const json::Value& found = attributes(document);
  CHECK(json::text(found["name"]) == "c");
  CHECK(json::text(found["bundle_id"]) == "a.b");
  CHECK(json::text(found["job_id"]) == "job-1");
  CHECK(found["client"].GetInt() == 4);
  CHECK(found["trace_id"].GetUint64() == 1311768467463790320u);
  CHECK(json::write(found["inputs"]) == R"({"x":[1,2.5]})");
  const json::Value& envelope = found["signed_envelope"];
  CHECK(envelope["hash_type"].GetInt() == 1);
  REQUIRE(envelope["signatures"].Size() == 1);
  CHECK(envelope["signatures"][0]["key_type"].GetInt() == 2);
  CHECK(json::text(envelope["signatures"][0]["key_id"]) == "key-2026-01");
}

TEST_CASE("each override changes what it says") {
  CHECK_FALSE(
      answer(R"({"action": "a.b", "overrides": {"no_attributes": true}})")["data"].HasMember("attributes"));
  CHECK_FALSE(
      attributes(answer(R"({"action": "a.b", "overrides": {"no_job_id": true}})")).HasMember("job_id"));
  CHECK_FALSE(attributes(answer(R"({"action": "a.b", "overrides": {"no_envelope": true}})"))
                  .HasMember("signed_envelope"));
  const auto envelope = [](const std::string& overrides) {
    const json::Document document = answer(R"({"action": "a.b", "overrides": )" + overrides + "}");
    return json::write(attributes(document)["signed_envelope"]);
  };
  CHECK(envelope(R"({"no_signatures": true})").find(R"("signatures":[])") != std::string::npos);
  CHECK(envelope(R"({"empty_data": true})").find(R"("data":"")") != std::string::npos);
  CHECK(envelope(R"({"signed_data": "eHh4"})").find(R"("data":"eHh4")") != std::string::npos);
  CHECK(envelope(R"({"hash_type": 7})").find(R"("hash_type":7)") != std::string::npos);
  CHECK(envelope(R"({"key_id": "other", "key_type": 1})").find(R"("key_type":1,"key_id":"other")") !=
        std::string::npos);
  CHECK(envelope(R"({"damage_signature": true})") != envelope("{}"));
  const std::string two = envelope(R"({"signatures": [{"key_id": "unknown"}, {}]})");
  CHECK(two.find("unknown") < two.find("key-2026-01"));
  const json::Document outer =
      answer(R"({"action": "a.b", "overrides": {"outer_task_id": "x", "outer_action": "p.q.r"}})");
  CHECK(json::text(outer["data"]["id"]) == "x");
  CHECK(json::text(attributes(outer)["bundle_id"]) == "p.q");
  CHECK(json::text(attributes(outer)["name"]) == "r");
}

TEST_CASE("mistakes in a task are named, with the nearest known word") {
  CHECK(refusal("{}").find("task.action is missing") == 0);
  CHECK(refusal(R"({"action": "nodot"})") == "task.action \"nodot\" is not <bundle id>.<action name>");
  CHECK(refusal(R"({"action": "a.b", "input": {}})").find("did you mean \"inputs\"?") != std::string::npos);
  CHECK(refusal(R"({"action": "a.b", "inputs": []})") == "task.inputs must be a JSON object");
  CHECK(refusal(R"({"action": "a.b", "count": 0})") == "task.count must be at least 1");
  CHECK(refusal(R"({"action": "a.b", "overrides": {"damage_signatures": true}})")
            .find("\"damage_signature\"") != std::string::npos);
  CHECK(refusal(R"({"action": "a.b", "overrides": {"org_id": "1"}})") ==
        "overrides.org_id must be a whole number");
  CHECK(refusal(R"({"action": "a.b", "connection": {"auth": "tokens"}})").find("connection.auth must be") ==
        0);
  CHECK(
      refusal(R"({"action": "a.b", "connection": {"tokens": [{"plain_text": "x"}]}})").find("needs a name") !=
      std::string::npos);
  CHECK(refusal("[]") == "task must be a JSON object");
}

TEST_CASE("a job is open from its delivery to its outcome") {
  Queue queue;
  const auto spec = parse(R"({"action": "a.b", "deliveries": 2})");
  REQUIRE(spec);
  const std::string id = queue.add(*spec).front();
  CHECK(queue.heartbeat(id, "job") == Queue::Verdict::unknown_job);
  const std::string first = queue.take()->job_id;
  const std::string second = queue.take()->job_id;
  CHECK(first != second);
  CHECK(queue.take() == nullptr);
  CHECK(queue.heartbeat(id, first) == Queue::Verdict::accepted);
  CHECK(queue.publish(id, first, true, "a.b", "{}").task == queue.find(id));
  CHECK(queue.publish(id, first, true, "a.b", "{}").verdict == Queue::Verdict::closed);
  CHECK(queue.find(id)->state == TaskRecord::State::succeeded);
  queue.forget(*queue.find(id));
  CHECK(queue.heartbeat(id, second) == Queue::Verdict::closed);
  CHECK(queue.open_jobs() == 0);
}

TEST_CASE("a published payload is kept to the byte") {
  const auto update = read_update(
      R"({"data":{"type":"taskUpdate","id":"succeed_task","attributes":{"task_id":"t","client":1,"action_fqn":"a.b",)"
      R"("job_id":"j","payload": {"branch":"main","outputs":{"task_id":"no","n":1.0,"e":{}}}}}})");
  REQUIRE(update);
  CHECK(update->type == "taskUpdate");
  CHECK(update->id == "succeed_task");
  CHECK(update->task_id == "t");
  CHECK(update->job_id == "j");
  CHECK(update->action_fqn == "a.b");
  CHECK(update->payload == R"({"branch":"main","outputs":{"task_id":"no","n":1.0,"e":{}}})");
  CHECK_FALSE(read_update("{"));
}
