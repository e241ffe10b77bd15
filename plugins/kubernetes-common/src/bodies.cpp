#include "bodies.hpp"

#include <array>

namespace kubernetes {

std::string manifest_body(const Kind& kind, const par::json::Value& manifest) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("apiVersion");
  writer.String(kind.api_version());
  writer.Key("kind");
  writer.String(kind.name);
  for (const auto& member : manifest.GetObject()) {
    const std::string_view name = par::json::text(member.name);
    if (name == "apiVersion" || name == "kind") continue;
    writer.Key(name);
    member.value.Accept(writer);
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string delete_options(const Inputs& inputs, std::string_view uid) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("kind");
  writer.String("DeleteOptions");
  writer.Key("apiVersion");
  writer.String("v1");
  if (inputs.grace_period_seconds) {
    writer.Key("gracePeriodSeconds");
    writer.Int64(*inputs.grace_period_seconds);
  }
  if (!inputs.propagation_policy.empty()) {
    writer.Key("propagationPolicy");
    writer.String(inputs.propagation_policy);
  }
  if (!uid.empty()) {
    writer.Key("preconditions");
    writer.StartObject();
    writer.Key("uid");
    writer.String(uid);
    writer.EndObject();
  }
  if (!inputs.dry_run.empty()) {
    writer.Key("dryRun");
    writer.StartArray();
    writer.String(inputs.dry_run);
    writer.EndArray();
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string restart_patch(std::time_t now) {
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 64> buffer{};
  std::string time(buffer.data(), std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &local));
  std::string offset(buffer.data(), std::strftime(buffer.data(), buffer.size(), "%z", &local));  // +0130
  time += offset == "+0000" ? "Z" : offset.insert(3, ":");
  return R"({"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":")" + time +
         R"("}}}}})";
}

}  // namespace kubernetes
