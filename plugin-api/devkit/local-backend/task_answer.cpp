#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/verify/wire/task.pb.h"
#include "plugin-api/devkit/local-backend/task.hpp"

namespace par::backend {
namespace {

using core::fail;

void raw(json::Writer& writer, std::string_view text) {
  writer.RawValue(text.data(), text.size(), rapidjson::kObjectType);
}

Result<void> write_signatures(json::Writer& writer, const TaskSpec& spec, const std::string& data,
                              Keyring& keys) {
  const std::string digest = core::sha256(data);
  writer.StartArray();
  for (const SignaturePlan& plan : spec.signatures) {
    const std::string& id = plan.key.empty() ? keys.signing_id() : plan.key;
    const SigningKey* const key = keys.find(id);
    if (key == nullptr) return fail(fmt::format("there is no key \"{}\" to sign with", id));
    std::string signature = sign_digest(*key, digest);
    if (plan.damage) signature.back() = static_cast<char>(signature.back() ^ 1);
    writer.StartObject();
    writer.Key("key_type");
    writer.Int64(plan.key_type.value_or(static_cast<int>(key->type)));
    writer.Key("key_id");
    writer.String(plan.key_id.value_or(id));
    writer.Key("signature");
    writer.String(core::base64_encode(signature));
    writer.EndObject();
  }
  writer.EndArray();
  return {};
}

Result<void> write_envelope(json::Writer& writer, const TaskSpec& spec, const Delivery& delivery,
                            Keyring& keys) {
  const std::string data = spec.empty_data    ? std::string()
                           : spec.signed_data ? *spec.signed_data
                                              : signed_bytes(spec, delivery);
  writer.StartObject();
  writer.Key("data");
  writer.String(core::base64_encode(data));
  writer.Key("hash_type");
  writer.Int64(spec.hash_type);
  writer.Key("signatures");
  if (auto done = write_signatures(writer, spec, data, keys); !done) return done;
  writer.EndObject();
  return {};
}

}  // namespace

std::string signed_bytes(const TaskSpec& spec, const Delivery& delivery) {
  wire::PrivateActionTask task = *spec.prototype;
  task.set_task_id(delivery.task_id);
  task.set_org_id(spec.org_id.value_or(delivery.org_id));
  if (task.has_connection_info())
    task.mutable_connection_info()->set_runner_id(spec.runner_id.value_or(delivery.runner_id));
  if (!spec.no_expiry) {
    const auto now = std::chrono::floor<std::chrono::seconds>(delivery.now.time_since_epoch());
    task.mutable_expiration_time()->set_seconds(now.count() + spec.expires_in_seconds);
  }
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  {
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    task.SerializeToCodedStream(&coded);
  }
  return bytes;
}

Result<std::string> dequeue_answer(const TaskSpec& spec, const Delivery& delivery, Keyring& keys) {
  if (spec.body) return *spec.body;
  std::string bundle = spec.bundle_id;
  std::string name = spec.action_name;
  if (spec.outer_action) {
    const size_t dot = spec.outer_action->rfind('.');
    bundle = spec.outer_action->substr(0, dot);
    name = spec.outer_action->substr(dot + 1);
  }
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("data");
  writer.StartObject();
  writer.Key("id");
  writer.String(spec.outer_task_id.value_or(delivery.task_id));
  writer.Key("type");
  writer.String("task");
  if (!spec.no_attributes) {
    writer.Key("attributes");
    writer.StartObject();
    writer.Key("name");
    writer.String(name);
    writer.Key("bundle_id");
    writer.String(bundle);
    writer.Key("client");
    writer.Int64(spec.client);
    writer.Key("org_id");
    writer.Int64(delivery.org_id);
    if (!spec.no_job_id) {
      writer.Key("job_id");
      writer.String(delivery.job_id);
    }
    writer.Key("sec_datadog_header_value");
    writer.String(spec.prototype->sec_datadog_header_value());
    writer.Key("inputs");
    raw(writer, spec.inputs_json);
    if (spec.trace_id) {
      writer.Key("trace_id");
      writer.Uint64(*spec.trace_id);
    }
    if (spec.span_id) {
      writer.Key("span_id");
      writer.Uint64(*spec.span_id);
    }
    writer.Key("connection_info");
    writer.Null();
    if (!spec.no_envelope) {
      writer.Key("signed_envelope");
      if (auto done = write_envelope(writer, spec, delivery, keys); !done)
        return tl::unexpected(done.error());
    }
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace par::backend
