#include "manifest.hpp"

#include <string_view>
#include <vector>

#include <par/json.hpp>

#include "verbs.hpp"

namespace kubernetes {
namespace {

constexpr std::string_view k_head = R"(
  "manifest_version": 1,
  "version": "1.0.0",
  "services": ["par.http/1", "par.process/1"],
  "connection": {"tokens": [{
    "name": "context",
    "secret": false,
    "description": "Context of the kubeconfig in the home directory of the runner's user, empty for its current one. A connection without tokens uses the service account of the runner's pod"
  }]},
  "environment": ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HOME", "PATH"],
  "files": ["/var/run/secrets/kubernetes.io/serviceaccount", "~/.kube"],
)";

constexpr std::string_view k_namespace =
    R"({"type":"string","minLength":1,"description":"Namespace of the object"})";
constexpr std::string_view k_any_namespace =
    R"({"type":"string","description":"Only objects of this namespace; without it those of all namespaces"})";

constexpr std::string_view k_list_output =
    R"({"type":"object","required":["items","metadata"],"properties":{)"
    R"("items":{"type":"array","items":{"type":"object"},"description":"The whole objects"},)"
    R"("metadata":{"type":"object","description":"Of the list: resourceVersion; continue and remainingItemCount if limit cut it"}}})";
constexpr std::string_view k_no_output = R"({"type":"object","additionalProperties":false})";

constexpr std::string_view k_test_connection = R"({
  "summary": "Ask the API server who the runner is and which version it has; problems are part of the result",
  "effect": "reads",
  "input": {"type": "object"},
  "output": {
    "type": "object",
    "required": ["configurationValid", "connectionValid", "userInfo", "serverInfo", "errors"],
    "properties": {
      "configurationValid": {"type": "boolean"},
      "connectionValid": {"type": "boolean"},
      "userInfo": {"type": "object", "description": "username, uid, groups, extra"},
      "serverInfo": {"type": "object", "description": "major, minor, gitVersion and so on"},
      "errors": {"type": "array", "items": {"type": "string"}}
    }
  },
  "rbac": []
})";

const char* type_name(JsonType type) {
  switch (type) {
    case JsonType::object:
      return "object";
    case JsonType::array:
      return "array";
    case JsonType::string:
      return "string";
    case JsonType::integer:
      return "integer";
    case JsonType::boolean:
      return "boolean";
    case JsonType::any:
      break;
  }
  return nullptr;
}

class Text {
 public:
  Text() : writer_(buffer_) {}
  par::json::Writer& writer() { return writer_; }
  void raw(std::string_view json) { writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType); }
  void key(std::string_view name) { writer_.Key(name); }
  std::string str() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  par::json::Writer writer_;
};

std::string input_schema(const Kind& kind, const VerbRow& verb) {
  const bool in_namespace = kind.scope == Scope::namespaced;
  Text text;
  auto& writer = text.writer();
  writer.StartObject();
  text.key("type");
  writer.String("object");
  std::vector<std::string_view> required;
  if (in_namespace && verb.needs_namespace) required.push_back("namespace");
  for (const Input& input : verb.inputs) {
    if (input.required) required.push_back(input.name);
  }
  if (!required.empty()) {
    text.key("required");
    writer.StartArray();
    for (const std::string_view name : required) writer.String(name);
    writer.EndArray();
  }
  text.key("properties");
  writer.StartObject();
  if (in_namespace) {
    text.key("namespace");
    text.raw(verb.needs_namespace ? k_namespace : k_any_namespace);
  }
  for (const Input& input : verb.inputs) {
    text.key(input.name);
    text.raw(input.schema);
  }
  writer.EndObject();
  writer.EndObject();
  return text.str();
}

std::string object_schema(const Kind& kind) {
  Text text;
  auto& writer = text.writer();
  writer.StartObject();
  text.key("type");
  writer.String("object");
  text.key("required");
  writer.StartArray();
  for (const Field& field : kind.fields) {
    if (field.always) writer.String(field.name);
  }
  writer.EndArray();
  text.key("properties");
  writer.StartObject();
  for (const Field& field : kind.fields) {
    text.key(field.name);
    writer.StartObject();
    if (const char* const type = type_name(field.type)) {
      text.key("type");
      writer.String(type);
    }
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
  return text.str();
}

std::string output_schema(const Kind& kind, const VerbRow& verb) {
  switch (verb.output) {
    case Output::list:
      return std::string(k_list_output);
    case Output::nothing:
      return std::string(k_no_output);
    case Output::object:
      break;
  }
  return kind.fields.empty() ? R"({"type":"object"})" : object_schema(kind);
}

std::string action(const Kind& kind, const VerbRow& verb) {
  Text text;
  auto& writer = text.writer();
  writer.StartObject();
  text.key("summary");
  writer.String(std::string(verb.summary) + " " + std::string(kind.name));
  text.key("effect");
  writer.String(verb.writes ? "writes" : "reads");
  text.key("input");
  text.raw(input_schema(kind, verb));
  text.key("output");
  text.raw(output_schema(kind, verb));
  text.key("rbac");
  writer.StartArray();
  writer.StartObject();
  text.key("apiGroup");
  writer.String(kind.group);
  text.key("resource");
  writer.String(kind.resource());
  text.key("verbs");
  writer.StartArray();
  for (const std::string_view right : verb.rbac_verbs) writer.String(right);
  writer.EndArray();
  text.key("namespaced");
  writer.Bool(kind.scope == Scope::namespaced);
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
  return text.str();
}

}  // namespace

std::string manifest_json(const Bundle& bundle) {
  std::string text = "{\n  \"namespace\": \"com.datadoghq.kubernetes." + std::string(bundle.name) + "\",";
  text += k_head;
  text += "  \"actions\": {";
  const char* separator = "\n";
  const auto add = [&](const std::string& name, std::string_view json) {
    text.append(separator).append("    \"").append(name).append("\": ").append(json);
    separator = ",\n";
  };
  for (const Kind& kind : bundle.kinds) {
    for (const VerbRow& verb : all_verbs()) {
      if (holds(kind.verbs, verb.verb)) add(verb.action_name(kind), action(kind, verb));
    }
  }
  if (bundle.tests_connection) add("testConnection", k_test_connection);
  return text + "\n  }\n}\n";
}

}  // namespace kubernetes
