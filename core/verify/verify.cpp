#include <algorithm>
#include <climits>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#if GOOGLE_PROTOBUF_VERSION < 4022000
#  include <google/protobuf/stubs/logging.h>
#endif

#include "core/base/digest.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/channel/raw_task.hpp"
#include "core/identity/identity.hpp"
#include "core/verify/keys.hpp"
#include "core/verify/struct_json.hpp"
#include "core/verify/verified_task.hpp"
#include "core/verify/wire/task.pb.h"

namespace par::core {
namespace {

using Refusal = tl::unexpected<Failure>;

Refusal refuse(ErrorCode code, std::string message) {
  return Refusal(Failure{code, std::move(message), {}});
}

// Names from outside, cut so that an error text stays readable.
std::string_view shown(std::string_view text) {
  return cut_utf8(text, 128);
}

bool parse_task(const std::string& data, wire::PrivateActionTask& task) {
  // One level of JSON is up to three messages: a value, its struct and the map's entry.
  constexpr int k_levels = 3 * static_cast<int>(json::k_max_depth) + 16;
  if (data.size() > INT_MAX) return false;
#if GOOGLE_PROTOBUF_VERSION < 4022000
  const google::protobuf::LogSilencer silence;  // it would write lines of its own about invalid UTF-8
#endif
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(data.data()),
                                               static_cast<int>(data.size()));
  input.SetRecursionLimit(k_levels);
  return task.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

// Far dates are cut to one that the clock's type can hold.
SystemTime to_time(const wire::Timestamp& stamp) {
  constexpr int64_t k_limit = 9'000'000'000;  // seconds: the years 1684 to 2255
  const std::chrono::seconds seconds(std::clamp(stamp.seconds(), -k_limit, k_limit));
  const std::chrono::nanoseconds nanos(std::clamp(stamp.nanos(), 0, 999'999'999));
  return SystemTime(seconds) + std::chrono::duration_cast<SystemTime::duration>(nanos);
}

std::string_view type_name(int64_t type) {
  switch (type) {
    case static_cast<int64_t>(VerifyingKey::Type::x509_rsa):
      return "X509_RSA";
    case static_cast<int64_t>(VerifyingKey::Type::ed25519):
      return "ED25519";
    default:
      return "an unknown type";
  }
}

std::string key_ids(const std::vector<SignedEnvelope::Signature>& signatures) {
  constexpr size_t k_named = 3;
  std::string ids;
  for (size_t i = 0; i < std::min(signatures.size(), k_named); ++i) {
    ids += fmt::format("{}'{}'", i == 0 ? "" : ", ", shown(signatures[i].key_id));
  }
  return signatures.size() > k_named ? ids + ", ..." : ids;
}

// The envelope's form, and its content without trust in it.
Result<void, Failure> read_envelope(const RawTask& raw, wire::PrivateActionTask& task) {
  constexpr auto k_code = ErrorCode::internal_error;
  if (!raw.envelope) return refuse(k_code, "task refused: it has no signed envelope");
  const SignedEnvelope& envelope = *raw.envelope;
  if (envelope.data.empty()) return refuse(k_code, "task refused: its signed envelope has no data");
  if (envelope.signatures.empty())
    return refuse(k_code, "task refused: its signed envelope has no signature");
  if (envelope.hash_type != wire::SHA256) {
    return refuse(k_code,
                  fmt::format("task refused: its signed envelope has hash type {}, expected 1 (SHA-256)",
                              envelope.hash_type));
  }
  if (!parse_task(envelope.data, task)) {
    return refuse(k_code, "task refused: the data of its signed envelope is not a task");
  }
  if (!task.has_expiration_time()) return refuse(k_code, "task refused: it has no expiration time");
  return {};
}

Result<void, Failure> check_expiry(const wire::PrivateActionTask& task, SystemTime now) {
  const SystemTime expires = to_time(task.expiration_time());
  if (expires >= now) return {};
  return refuse(
      ErrorCode::expired_task,
      fmt::format("task refused: it expired at {} and it is {} here; if that is not the time, set this "
                  "machine's clock",
                  rfc3339_ms(expires), rfc3339_ms(now)));
}

// Only the first signature with a known key counts: trying the others would let the weakest key decide.
Result<void, Failure> check_signature(const SignedEnvelope& envelope, const KeySet& keys) {
  const auto signature = std::ranges::find_if(
      envelope.signatures, [&](const auto& candidate) { return keys.find(candidate.key_id) != nullptr; });
  if (signature == envelope.signatures.end()) {
    return refuse(
        ErrorCode::signature_key_not_found,
        fmt::format("task refused: it is signed with key {}, which is none of the {} keys known here",
                    key_ids(envelope.signatures), keys.size()));
  }
  const VerifyingKey& key = *keys.find(signature->key_id);
  if (signature->key_type != static_cast<int64_t>(key.type())) {
    return refuse(
        ErrorCode::signature_error,
        fmt::format("task refused: key '{}' is {} here but its signature says {}", shown(signature->key_id),
                    type_name(static_cast<int64_t>(key.type())), type_name(signature->key_type)));
  }
  if (!key.verify_digest(sha256(envelope.data), signature->signature)) {
    return refuse(ErrorCode::signature_error,
                  fmt::format("task refused: its signature by key '{}' does not fit its "
                              "data; the task was changed or the key is another one",
                              shown(signature->key_id)));
  }
  return {};
}

Result<void, Failure> check_addressee(const wire::PrivateActionTask& task, const RunnerUrn& self) {
  if (task.org_id() != self.org_id) {
    return refuse(ErrorCode::mismatched_org_id,
                  fmt::format("task refused: it is for organisation {}, this runner belongs to {}",
                              task.org_id(), self.org_id));
  }
  if (!task.has_connection_info()) {
    return refuse(ErrorCode::mismatched_runner_id,
                  "task refused: it names no runner, since it has no connection");
  }
  if (task.connection_info().runner_id() != self.runner_id) {
    return refuse(ErrorCode::mismatched_runner_id,
                  fmt::format("task refused: its connection belongs to runner '{}', this is '{}'",
                              shown(task.connection_info().runner_id()), self.runner_id));
  }
  return {};
}

// What is published goes to the outer address, so it must be the address of what was signed.
Result<void, Failure> check_address(const TaskAddress& outer, std::string_view task_id,
                                    std::string_view fqn) {
  if (outer.task_id != task_id) {
    return refuse(ErrorCode::signature_error,
                  fmt::format("task refused: it arrived as task '{}' but task '{}' was signed",
                              shown(outer.task_id), shown(task_id)));
  }
  if (outer.action_fqn != fqn) {
    return refuse(ErrorCode::signature_error,
                  fmt::format("task refused: it arrived for action '{}' but '{}' was signed",
                              shown(outer.action_fqn), shown(fqn)));
  }
  return {};
}

ConnectionToken take_token(wire::ConnectionToken& from) {
  ConnectionToken token;
  for (std::string& segment : *from.mutable_name_segments())
    token.name_segments.push_back(std::move(segment));
  switch (from.token_value_case()) {
    case wire::ConnectionToken::kPlainText:
      token.kind = ConnectionToken::Kind::plain_text;
      token.value = std::move(*from.mutable_plain_text()->mutable_value());
      break;
    case wire::ConnectionToken::kFileSecret:
      token.kind = ConnectionToken::Kind::file_secret;
      token.value = std::move(*from.mutable_file_secret()->mutable_path());
      break;
    case wire::ConnectionToken::kYamlFile:
      token.kind = ConnectionToken::Kind::yaml_file;
      token.value = std::move(*from.mutable_yaml_file()->mutable_path());
      break;
    case wire::ConnectionToken::TOKEN_VALUE_NOT_SET:
      break;
  }
  return token;
}

ConnectionInfo take_connection(wire::ConnectionInfo& from) {
  ConnectionInfo connection;
  connection.connection_id = std::move(*from.mutable_connection_id());
  connection.credentials_type = from.credentials_type();
  connection.runner_id = std::move(*from.mutable_runner_id());
  for (auto& token : *from.mutable_tokens()) connection.tokens.push_back(take_token(token));
  return connection;
}

}  // namespace

Result<VerifiedTask, Failure> verify(RawTask&& raw, const KeySet& keys, const RunnerUrn& self,
                                     SystemTime now) {
  wire::PrivateActionTask task;
  std::string fqn;
  const auto checked = read_envelope(raw, task)
                           .and_then([&] { return check_expiry(task, now); })
                           .and_then([&] { return check_signature(*raw.envelope, keys); })
                           .and_then([&] { return check_addressee(task, self); })
                           .and_then([&] {
                             fqn = task.bundle_id() + "." + task.action_name();
                             return check_address(raw.address, task.task_id(), fqn);
                           });
  if (!checked) return Refusal(checked.error());
  raw.envelope.reset();  // may be megabytes, and everything in it has been copied

  auto inputs = struct_to_json(task.inputs());
  if (!inputs) {
    return refuse(ErrorCode::internal_error,
                  "task refused: its inputs cannot be written as JSON: " + inputs.error().message);
  }
  VerifiedTask verified;
  verified.address_ = {std::move(*task.mutable_task_id()), std::move(raw.address.job_id), std::move(fqn),
                       task.client()};
  verified.bundle_id_ = std::move(*task.mutable_bundle_id());
  verified.action_name_ = std::move(*task.mutable_action_name());
  verified.sec_datadog_header_ = std::move(*task.mutable_sec_datadog_header_value());
  verified.inputs_json_ = std::move(*inputs);
  verified.connection_ = take_connection(*task.mutable_connection_info());
  verified.expires_ = to_time(task.expiration_time());
  return verified;
}

}  // namespace par::core
