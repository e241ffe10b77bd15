#include <utility>

#include "core/base/encoding.hpp"
#include "core/base/json_members.hpp"
#include "core/credentials/connection_file.hpp"
#include "core/verify/wire/task.pb.h"
#include "plugin-api/devkit/local-backend/task.hpp"

namespace par::backend {
namespace {

using core::fail;
using core::Members;

constexpr const char* k_connection_id = "conn-local";

void fill(wire::Struct* object, const json::Value& value);

void fill(wire::Value* out, const json::Value& value) {
  if (value.IsObject()) {
    fill(out->mutable_struct_value(), value);
  } else if (value.IsArray()) {
    wire::ListValue* const list = out->mutable_list_value();
    for (const json::Value& element : value.GetArray()) fill(list->add_values(), element);
  } else if (value.IsString()) {
    out->set_string_value(value.GetString(), value.GetStringLength());
  } else if (value.IsBool()) {
    out->set_bool_value(value.GetBool());
  } else if (value.IsNumber()) {
    out->set_number_value(value.GetDouble());
  } else {
    out->set_null_value(0);
  }
}

void fill(wire::Struct* object, const json::Value& value) {
  for (const auto& member : value.GetObject())
    fill(&(*object->mutable_fields())[std::string(json::text(member.name))], member.value);
}

wire::ConnectionInfo to_wire(core::ConnectionInfo&& given) {
  using Kind = core::ConnectionToken::Kind;
  wire::ConnectionInfo connection;
  connection.set_connection_id(std::move(given.connection_id));
  connection.set_credentials_type(static_cast<wire::CredentialsType>(given.credentials_type));
  for (core::ConnectionToken& from : given.tokens) {
    wire::ConnectionToken& token = *connection.add_tokens();
    for (std::string& segment : from.name_segments) token.add_name_segments(std::move(segment));
    if (from.kind == Kind::plain_text) token.mutable_plain_text()->set_value(std::move(from.value));
    if (from.kind == Kind::file_secret) token.mutable_file_secret()->set_path(std::move(from.value));
    if (from.kind == Kind::yaml_file) token.mutable_yaml_file()->set_path(std::move(from.value));
  }
  return connection;
}

Result<void> read_signature(const json::Value& value, SignaturePlan& plan) {
  Members members(value, "overrides.signatures[]");
  members.read("key", plan.key);
  members.read("key_id", plan.key_id);
  members.read("key_type", plan.key_type);
  members.read("damage", plan.damage);
  return members.finish();
}

Result<void> read_overrides(const json::Value& value, TaskSpec& spec) {
  Members members(value, "overrides");
  members.read("expires_in_seconds", spec.expires_in_seconds);
  members.read("no_expiry", spec.no_expiry);
  members.read("org_id", spec.org_id);
  members.read("runner_id", spec.runner_id);
  members.read("no_connection", spec.no_connection);
  members.read("hash_type", spec.hash_type);
  SignaturePlan& first = spec.signatures.front();
  members.read("key", first.key);
  members.read("key_id", first.key_id);
  members.read("key_type", first.key_type);
  members.read("damage_signature", first.damage);
  if (const json::Value* list = members.any("signatures")) {
    if (!list->IsArray()) return fail("overrides.signatures must be an array");
    spec.signatures.clear();
    for (const json::Value& one : list->GetArray()) {
      if (auto done = read_signature(one, spec.signatures.emplace_back()); !done) return done;
    }
  }
  bool no_signatures = false;
  members.read("no_signatures", no_signatures);
  if (no_signatures) spec.signatures.clear();
  members.read("empty_data", spec.empty_data);
  members.read("no_envelope", spec.no_envelope);
  members.read("signed_data", spec.signed_data);
  members.read("no_job_id", spec.no_job_id);
  members.read("job_id", spec.job_id);
  members.read("no_attributes", spec.no_attributes);
  members.read("outer_task_id", spec.outer_task_id);
  members.read("outer_action", spec.outer_action);
  members.read("body", spec.body);
  if (spec.signed_data) {
    std::optional<std::string> bytes = core::base64_decode(*spec.signed_data);
    if (!bytes) return fail("overrides.signed_data must be base64");
    spec.signed_data = std::move(bytes);
  }
  if (spec.outer_action && spec.outer_action->find('.') == std::string::npos)
    return fail("overrides.outer_action must be <bundle id>.<action name>");
  return members.finish();
}

}  // namespace

Result<std::shared_ptr<const TaskSpec>> parse_task(const json::Value& task) {
  Members members(task, "task");
  const auto spec = std::make_shared<TaskSpec>();
  const auto prototype = std::make_shared<wire::PrivateActionTask>();

  std::string action;
  members.read("action", action);
  const size_t dot = action.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == action.size())
    members.mistake(action.empty()
                        ? "task.action is missing; give the full name, such as com.datadoghq.http.request"
                        : fmt::format("task.action \"{}\" is not <bundle id>.<action name>", action));
  else
    spec->bundle_id = action.substr(0, dot), spec->action_name = action.substr(dot + 1);

  spec->inputs_json = "{}";
  prototype->mutable_inputs();
  const json::Value* const inputs = members.any("inputs");
  if (inputs != nullptr && !inputs->IsObject()) members.mistake("task.inputs must be a JSON object");
  if (inputs != nullptr && inputs->IsObject()) {
    spec->inputs_json = json::write(*inputs);
    fill(prototype->mutable_inputs(), *inputs);
  }

  wire::ConnectionInfo* const connection = prototype->mutable_connection_info();
  connection->set_connection_id(k_connection_id);
  connection->set_credentials_type(wire::TOKEN_AUTH);
  if (const json::Value* given = members.any("connection")) {
    if (auto read = core::parse_connection(*given, k_connection_id)) {
      *connection = to_wire(std::move(*read));
    } else {
      members.mistake(std::move(read.error().message));
    }
  }
  members.read("task_id", spec->task_id);
  members.read("client", spec->client);
  std::string header = "local-backend";
  members.read("sec_datadog_header", header);
  members.read("trace_id", spec->trace_id);
  members.read("span_id", spec->span_id);
  members.read("count", spec->count, 1);
  members.read("deliveries", spec->deliveries, 1);
  if (const json::Value* overrides = members.any("overrides")) {
    if (auto done = read_overrides(*overrides, *spec); !done) members.mistake(done.error().message);
  }
  if (spec->count > 1 && !spec->task_id.empty())
    members.mistake("task.count above 1 makes up the ids; leave task_id out, or use deliveries");
  if (auto done = members.finish(); !done) return tl::unexpected(done.error());

  prototype->set_bundle_id(spec->bundle_id);
  prototype->set_action_name(spec->action_name);
  prototype->set_sec_datadog_header_value(header);
  prototype->set_client(static_cast<int32_t>(spec->client));
  if (spec->no_connection) prototype->clear_connection_info();
  spec->prototype = prototype;
  return std::shared_ptr<const TaskSpec>(spec);
}

}  // namespace par::backend
