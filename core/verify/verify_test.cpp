#include <limits>

#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/channel/raw_task.hpp"
#include "core/identity/identity.hpp"
#include "core/verify/keys.hpp"
#include "core/verify/test_keys.hpp"
#include "core/verify/verified_task.hpp"
#include "core/verify/wire/task.pb.h"
#include "tests/catch.hpp"

using namespace par;
using namespace par::core;
using namespace par::core::testing;

namespace {

const RunnerUrn k_self{"us1", 4242, "runner-7Qm1exampleExample0"};
const SystemTime k_now{std::chrono::seconds(1'767'225'600)};

wire::PrivateActionTask example_task() {
  wire::PrivateActionTask task;
  task.set_action_name("request");
  task.set_bundle_id("com.datadoghq.http");
  task.set_org_id(4242);
  task.set_task_id("task-1");
  task.set_sec_datadog_header_value("secdd");
  (*task.mutable_inputs()->mutable_fields())["url"].set_string_value("http://127.0.0.1/");
  task.mutable_connection_info()->set_runner_id(k_self.runner_id);
  task.mutable_expiration_time()->set_seconds(1'767'225'600 + 60);
  task.set_client(1);
  return task;
}

RawTask signed_task(const std::string& data, const Ed25519Signer& signer = Ed25519Signer('a')) {
  RawTask raw;
  raw.address = {"task-1", "job-1", "com.datadoghq.http.request", 1};
  raw.has_attributes = true;
  raw.envelope = SignedEnvelope{data, 1, {{2, "key-a", signer.sign_digest_of(data)}}};
  return raw;
}

RawTask signed_task(const wire::PrivateActionTask& task) {
  return signed_task(task.SerializeAsString());
}

KeySet example_keys() {
  KeySet keys;
  keys.add("key-a", *VerifyingKey::from_json(Ed25519Signer('a').json()));
  keys.add("key-b", *VerifyingKey::from_json(Ed25519Signer('b').json()));
  return keys;
}

void check_refused(RawTask raw, ErrorCode code, const std::string& text,
                   const KeySet& keys = example_keys()) {
  CAPTURE(text);
  const auto task = verify(std::move(raw), keys, k_self, k_now);
  REQUIRE_FALSE(task);
  CHECK(task.error().code == code);
  CHECK_THAT(task.error().message, Catch::Contains(text));
}

void check_accepted(RawTask raw, const KeySet& keys = example_keys()) {
  const auto task = verify(std::move(raw), keys, k_self, k_now);
  CHECK(task);
}

}  // namespace

TEST_CASE("the published example task verifies and is read whole") {
  const std::string data = *base64_decode(
      "ChNydW5QcmVkZWZpbmVkU2NyaXB0EhRjb20uZGF0YWRvZ2hxLnNjcmlwdBiSISIJdGFzay0wMDAxKg1zZWNkZC1leGFtcGxlMiwKFA"
      "oKc2NyaXB0"
      "TmFtZRIGGgRlY2hvChQKB3RpbWVvdXQSCREAAAAAAAA+"
      "QFKEAQoJY29ubi0wMDAxElkKC3Jvb3RfdG9rZW5zChJjb25maWdGaWxlTG9jYXRpb24i"
      "Ngo0L2V0Yy9kZC1hY3Rpb24tcnVubmVyL2NvbmZpZy9jcmVkZW50aWFscy9zY3JpcHQueWFtbBgBIhpydW5uZXItN1FtMWV4YW1wbG"
      "VFeGFtcGxl"
      "MFoGCICumaQPYAE=");
  REQUIRE(data.size() == 263);
  REQUIRE(hex_encode(sha256(data)) == "e2f212a351ff097c91dfbe55f7abaa98ddfa265304fe30dcddeb1e1491599192");
  KeySet keys;
  keys.add(
      "key-2026-01",
      *VerifyingKey::from_json(
          R"({"keyType":"ED25519","key":"LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUNvd0JRWURLMlZ3QXlFQUE2RUh2L1BPRUw0)"
          R"(ZGNOMFk1MHZBbVdmazFqQ2JwUTFmSGR5R1pCSlZNYmc9Ci0tLS0tRU5EIFBVQkxJQyBLRVktLS0tLQo="})"));
  RawTask raw;
  raw.address = {"task-0001", "job-9f2c", "com.datadoghq.script.runPredefinedScript", 1};
  raw.envelope = SignedEnvelope{
      data,
      1,
      {{2, "key-2026-01",
        *base64_decode(
            "mv9z7Ykokb/M2DzpkHBpK6CwekOlJ/uBS2GfFhL4FXUVELbHwghMGE8UDXKeEuSNTC79EC/5XpzWchrnRInFBw==")}}};
  const auto task = verify(std::move(raw), keys, k_self, k_now);
  REQUIRE(task);
  CHECK(task->address().task_id == "task-0001");
  CHECK(task->address().job_id == "job-9f2c");
  CHECK(task->address().action_fqn == "com.datadoghq.script.runPredefinedScript");
  CHECK(task->address().client == 1);
  CHECK(task->bundle_id() == "com.datadoghq.script");
  CHECK(task->action_name() == "runPredefinedScript");
  CHECK(task->sec_datadog_header() == "secdd-example");
  CHECK(task->inputs_json() == R"({"scriptName":"echo","timeout":30})");
  CHECK(rfc3339(task->expires()) == "2100-01-01T00:00:00Z");
  const ConnectionInfo& connection = task->connection();
  CHECK(connection.connection_id == "conn-0001");
  CHECK(connection.credentials_type == 1);
  CHECK(connection.runner_id == k_self.runner_id);
  REQUIRE(connection.tokens.size() == 1);
  CHECK(connection.tokens[0].name_segments == std::vector<std::string>{"root_tokens", "configFileLocation"});
  CHECK(connection.tokens[0].kind == ConnectionToken::Kind::yaml_file);
  CHECK(connection.tokens[0].value == "/etc/dd-action-runner/config/credentials/script.yaml");
}

TEST_CASE("every kind of token and credential survives") {
  auto task = example_task();
  auto& connection = *task.mutable_connection_info();
  connection.set_credentials_type(static_cast<wire::CredentialsType>(7));
  connection.add_tokens()->mutable_plain_text()->set_value("plain");
  connection.add_tokens()->mutable_file_secret()->set_path("/secret");
  connection.add_tokens()->add_name_segments("name");
  const auto verified = verify(signed_task(task), example_keys(), k_self, k_now);
  REQUIRE(verified);
  CHECK(verified->connection().credentials_type == 7);
  const auto& tokens = verified->connection().tokens;
  REQUIRE(tokens.size() == 3);
  CHECK(tokens[0].kind == ConnectionToken::Kind::plain_text);
  CHECK(tokens[0].value == "plain");
  CHECK(tokens[1].kind == ConnectionToken::Kind::file_secret);
  CHECK(tokens[1].value == "/secret");
  CHECK(tokens[2].kind == ConnectionToken::Kind::none);
  CHECK(tokens[2].name_segments == std::vector<std::string>{"name"});
}

TEST_CASE("envelopes that are no tasks are internal errors (V1 to V6)") {
  RawTask raw = signed_task(example_task());
  raw.envelope.reset();
  check_refused(std::move(raw), ErrorCode::internal_error, "no signed envelope");

  raw = signed_task(example_task());
  raw.envelope->data.clear();
  check_refused(std::move(raw), ErrorCode::internal_error, "no data");

  raw = signed_task(example_task());
  raw.envelope->signatures.clear();
  check_refused(std::move(raw), ErrorCode::internal_error, "no signature");

  for (const int64_t type : {int64_t{0}, int64_t{2}, int64_t{1} << 32 | 1}) {
    raw = signed_task(example_task());
    raw.envelope->hash_type = type;
    check_refused(std::move(raw), ErrorCode::internal_error, "hash type " + std::to_string(type));
  }

  check_refused(signed_task("not protobuf"), ErrorCode::internal_error, "is not a task");
  check_refused(signed_task(example_task().SerializeAsString() + "\x0a"), ErrorCode::internal_error,
                "is not a task");
  auto task = example_task();
  std::string invalid_utf8 = task.SerializeAsString();
  invalid_utf8.replace(invalid_utf8.find("http://"), 1, "\xff");
  check_refused(signed_task(invalid_utf8), ErrorCode::internal_error, "is not a task");

  task.clear_expiration_time();
  check_refused(signed_task(task), ErrorCode::internal_error, "no expiration time");
}

TEST_CASE("a task is refused from the moment after its expiry (V7)") {
  auto task = example_task();
  task.mutable_expiration_time()->set_seconds(1'767'225'600);
  check_accepted(signed_task(task));
  CHECK_FALSE(verify(signed_task(task), example_keys(), k_self, k_now + std::chrono::nanoseconds(1)));
  task.mutable_expiration_time()->set_seconds(1'767'225'599);
  task.mutable_expiration_time()->set_nanos(999'999'999);
  check_refused(signed_task(task), ErrorCode::expired_task, "expired at 2025-12-31T23:59:59.999Z");
  task.mutable_expiration_time()->set_seconds(INT64_MIN);
  check_refused(signed_task(task), ErrorCode::expired_task, "expired");
  task.mutable_expiration_time()->set_seconds(INT64_MAX);
  check_accepted(signed_task(task));
  task.mutable_expiration_time()->Clear();  // present but empty: 1970
  check_refused(signed_task(task), ErrorCode::expired_task, "expired at 1970-01-01");
}

TEST_CASE("a task needs a signature by a known key (V8)") {
  RawTask raw = signed_task(example_task());
  raw.envelope->signatures[0].key_id = "key-z";
  check_refused(std::move(raw), ErrorCode::signature_key_not_found,
                "key 'key-z', which is none of the 2 keys");
  check_refused(signed_task(example_task()), ErrorCode::signature_key_not_found, "none of the 0 keys",
                KeySet());
  raw = signed_task(example_task());
  raw.envelope->signatures.assign(5, {2, std::string(5000, 'k'), ""});
  check_refused(std::move(raw), ErrorCode::signature_key_not_found, ", ...");
}

TEST_CASE("the first signature with a known key decides") {
  const std::string data = example_task().SerializeAsString();
  const SignedEnvelope::Signature good_a{2, "key-a", Ed25519Signer('a').sign_digest_of(data)};
  const SignedEnvelope::Signature bad_b{2, "key-b", Ed25519Signer('a').sign_digest_of(data)};
  RawTask raw = signed_task(data);
  raw.envelope->signatures = {{2, "unknown", "x"}, good_a, bad_b};
  check_accepted(std::move(raw));
  raw = signed_task(data);
  raw.envelope->signatures = {bad_b, good_a};
  check_refused(std::move(raw), ErrorCode::signature_error, "by key 'key-b' does not fit");
}

TEST_CASE("the key must have the type that the signature names (V9)") {
  for (const int64_t type : {int64_t{0}, int64_t{1}, int64_t{3}}) {
    RawTask raw = signed_task(example_task());
    raw.envelope->signatures[0].key_type = type;
    check_refused(std::move(raw), ErrorCode::signature_error,
                  "key 'key-a' is ED25519 here but its signature says");
  }
}

TEST_CASE("changed data or signatures do not verify (V10)") {
  RawTask raw = signed_task(example_task());
  raw.envelope->signatures[0].signature[0] ^= 1;
  check_refused(std::move(raw), ErrorCode::signature_error, "does not fit");
  raw = signed_task(example_task());
  raw.envelope->signatures[0].signature.clear();
  check_refused(std::move(raw), ErrorCode::signature_error, "does not fit");
  raw = signed_task(example_task());
  auto other = example_task();
  other.set_task_id("task-2");
  raw.envelope->data = other.SerializeAsString();
  check_refused(std::move(raw), ErrorCode::signature_error, "does not fit");
}

TEST_CASE("RSA-PSS signatures verify with the certificate's key (V10)") {
  const RsaSigner signer;
  KeySet keys;
  keys.add("key-a", *VerifyingKey::from_json(signer.json()));
  RawTask raw = signed_task(example_task());
  raw.envelope->signatures[0] = {1, "key-a", signer.sign_digest_of(raw.envelope->data)};
  RawTask damaged = raw;
  check_accepted(std::move(raw), keys);
  damaged.envelope->signatures[0].signature[100] ^= 1;
  check_refused(std::move(damaged), ErrorCode::signature_error, "does not fit", keys);
}

TEST_CASE("a task must be for this organisation and this runner (V11, V12)") {
  auto task = example_task();
  task.set_org_id(7);
  task.clear_connection_info();  // the organisation is checked first
  check_refused(signed_task(task), ErrorCode::mismatched_org_id,
                "for organisation 7, this runner belongs to 4242");
  task.set_org_id(4242);
  check_refused(signed_task(task), ErrorCode::mismatched_runner_id, "names no runner");
  task.mutable_connection_info();
  check_refused(signed_task(task), ErrorCode::mismatched_runner_id, "belongs to runner ''");
  task.mutable_connection_info()->set_runner_id("runner-other");
  check_refused(signed_task(task), ErrorCode::mismatched_runner_id, "belongs to runner 'runner-other'");
}

TEST_CASE("a signed task under another task's address is refused") {
  RawTask raw = signed_task(example_task());
  raw.address.task_id = "task-9";
  check_refused(std::move(raw), ErrorCode::signature_error,
                "arrived as task 'task-9' but task 'task-1' was signed");
  raw = signed_task(example_task());
  raw.address.action_fqn = "com.datadoghq.http.other";
  check_refused(std::move(raw), ErrorCode::signature_error, "arrived for action 'com.datadoghq.http.other'");
}

TEST_CASE("the checks come in the protocol's order") {
  // Everything is wrong; mending the defects one by one shows the checks one after the other.
  auto task = example_task();
  task.set_org_id(1);
  task.clear_connection_info();
  task.clear_expiration_time();
  RawTask raw;
  raw.address = {"other", "job", "other", 0};
  const auto code_of = [&](const RawTask& candidate) {
    const auto result = verify(RawTask(candidate), example_keys(), k_self, k_now);
    return result ? std::string("accepted") : result.error().message;
  };
  std::vector<std::string> seen{code_of(raw)};
  raw.envelope = SignedEnvelope{"", 0, {}};
  seen.push_back(code_of(raw));
  raw.envelope->data = "not protobuf";
  seen.push_back(code_of(raw));
  raw.envelope->signatures.push_back({1, "key-z", ""});
  seen.push_back(code_of(raw));
  raw.envelope->hash_type = 1;
  seen.push_back(code_of(raw));
  const auto sign = [&] { raw.envelope->data = task.SerializeAsString(); };
  sign();
  seen.push_back(code_of(raw));
  task.mutable_expiration_time()->set_seconds(1);
  sign();
  seen.push_back(code_of(raw));
  task.mutable_expiration_time()->set_seconds(1'767'225'600);
  sign();
  seen.push_back(code_of(raw));
  raw.envelope->signatures[0].key_id = "key-a";
  seen.push_back(code_of(raw));
  raw.envelope->signatures[0].key_type = 2;
  seen.push_back(code_of(raw));
  const auto sign_well = [&] {
    sign();
    raw.envelope->signatures[0].signature = Ed25519Signer('a').sign_digest_of(raw.envelope->data);
  };
  sign_well();
  seen.push_back(code_of(raw));
  task.set_org_id(4242);
  sign_well();
  seen.push_back(code_of(raw));
  task.mutable_connection_info()->set_runner_id(k_self.runner_id);
  sign_well();
  seen.push_back(code_of(raw));
  raw.address = {"task-1", "job", "com.datadoghq.http.request", 0};
  seen.push_back(code_of(raw));
  const std::vector<std::string> expected = {
      "no signed envelope", "has no data",     "has no signature",   "hash type",       "is not a task",
      "no expiration time", "expired",         "none of the 2 keys", "is ED25519 here", "does not fit",
      "organisation",       "names no runner", "arrived as task",    "accepted"};
  REQUIRE(seen.size() == expected.size());
  for (size_t i = 0; i < seen.size(); ++i) CHECK_THAT(seen[i], Catch::Contains(expected[i]));
}

TEST_CASE("inputs that JSON cannot say are refused, deep ones are not") {
  auto task = example_task();
  (*task.mutable_inputs()->mutable_fields())["n"].set_number_value(std::numeric_limits<double>::infinity());
  check_refused(signed_task(task), ErrorCode::internal_error, "not finite in /n");

  task = example_task();
  wire::Value value;
  for (unsigned i = 1; i < json::k_max_depth; ++i) {
    wire::Value outer;
    outer.mutable_struct_value();
    (*outer.mutable_struct_value()->mutable_fields())["d"].Swap(&value);
    value.Swap(&outer);
  }
  (*task.mutable_inputs()->mutable_fields())["d"].Swap(&value);
  check_accepted(signed_task(task));

  task.clear_inputs();
  const auto empty = verify(signed_task(task), example_keys(), k_self, k_now);
  REQUIRE(empty);
  CHECK(empty->inputs_json() == "{}");
}

TEST_CASE("unknown fields of newer schemas are skipped") {
  // Field 15, length-delimited, three bytes.
  const auto task = verify(signed_task(example_task().SerializeAsString() + "\x7a\x03"
                                                                            "abc"),
                           example_keys(), k_self, k_now);
  CHECK(task);
}
