#include "core/plugin/manifest.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/base/strings.hpp"
#include "core/plugin/schema.hpp"

namespace par::core {
namespace {

bool is_name(std::string_view text, bool dots) {
  if (text.empty() || text.size() > 200 || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [dots](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || (dots && c == '.');
  });
}

/// Reads members of a manifest; the first problem stays in `problem`.
class Reader {
 public:
  Result<Manifest> read(std::string_view text) {
    const auto document = parse_json(text);
    if (!document) return fail("manifest is not valid JSON: " + document.error().message);
    if (!document->IsObject()) return fail("manifest is not a JSON object");
    const json::Value* const version = json::find(*document, "manifest_version");
    if (version == nullptr || !version->IsUint())
      return fail("manifest: manifest_version is not a whole number");
    if (version->GetUint() != 1) {
      return fail(fmt::format("manifest: manifest_version is {}, this runner reads 1; use a newer runner",
                              version->GetUint()));
    }
    Manifest manifest;
    members(*document, manifest);
    if (!problem_.empty()) return fail("manifest: " + problem_);
    manifest.text = text;
    return manifest;
  }

 private:
  // Members that this version does not know are ignored, so that newer plugins work on older hosts. A
  // misspelt one is found by `par-plugin check`.
  void members(const json::Value& source, Manifest& manifest) {
    manifest.plugin_namespace = string(source, "", "namespace", true);
    if (!is_name(manifest.plugin_namespace, true)) {
      problem("namespace must be letters, digits, '_' and '-' in parts separated by dots");
    }
    manifest.version = string(source, "", "version", true);
    if (json::find(source, "services") == nullptr) problem("services is missing (a list, perhaps empty)");
    manifest.services = strings(source, "services");
    manifest.environment = strings(source, "environment");
    manifest.files = strings(source, "files");
    manifest.own_threads = boolean(source, "", "own_threads", false);
    if (const json::Value* const most = json::find(source, "max_concurrency")) {
      if (!most->IsUint() || most->GetUint() > 10'000)
        problem("max_concurrency must be a whole number up to 10000");
      if (most->IsUint()) manifest.max_concurrency = most->GetUint();
    }
    if (const json::Value* const settings = json::find(source, "config_schema")) {
      manifest.config_schema = schema(*settings, "config_schema");
    }
    if (const json::Value* const connection = json::find(source, "connection")) tokens(*connection, manifest);
    actions(source, manifest);
  }

  void tokens(const json::Value& connection, Manifest& manifest) {
    if (!connection.IsObject()) return problem("connection must be an object");
    const json::Value* const list = json::find(connection, "tokens");
    if (list == nullptr) return;
    if (!list->IsArray()) return problem("connection.tokens must be a list");
    for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
      const std::string where = fmt::format("connection.tokens[{}].", i);
      const json::Value& source = (*list)[i];
      if (!source.IsObject()) return problem(fmt::format("connection.tokens[{}] must be an object", i));
      TokenManifest token;
      token.name = string(source, where, "name", true);
      token.required = boolean(source, where, "required", false);
      token.secret = boolean(source, where, "secret", true);
      token.description = string(source, where, "description", false);
      manifest.tokens.push_back(std::move(token));
    }
  }

  void actions(const json::Value& source, Manifest& manifest) {
    const json::Value* const list = json::find(source, "actions");
    if (list == nullptr || !list->IsObject() || list->ObjectEmpty()) {
      return problem("actions must be an object with at least one action");
    }
    for (const auto& member : list->GetObject()) {
      const std::string name(json::text(member.name));
      if (!is_name(name, false)) {
        return problem(
            fmt::format("action name \"{}\" must be letters, digits, '_' and '-'", cut_utf8(name, 64)));
      }
      if (manifest.find_action(name) != nullptr)
        return problem(fmt::format("action \"{}\" stands there twice", name));
      action(name, member.value, manifest);
      if (!problem_.empty()) return;
    }
  }

  void action(const std::string& name, const json::Value& source, Manifest& manifest) {
    const std::string where = "actions." + name + ".";
    if (!source.IsObject()) return problem("actions." + name + " must be an object");
    ActionManifest action;
    action.name = name;
    action.summary = string(source, where, "summary", true);
    const std::string effect = string(source, where, "effect", true);
    if (effect != "reads" && effect != "writes") problem(where + "effect must be \"reads\" or \"writes\"");
    action.writes = effect == "writes";
    const json::Value* const input = json::find(source, "input");
    const json::Value* const output = json::find(source, "output");
    if (input == nullptr || output == nullptr)
      return problem(where + (input == nullptr ? "input" : "output") + " is missing");
    action.input = schema(*input, where + "input");
    action.output = schema(*output, where + "output");
    for (const auto& [side, compiled] :
         {std::pair{"input", &action.input}, std::pair{"output", &action.output}}) {
      if (*compiled != nullptr && (*compiled)->types() != Schema::k_object) {
        problem(where + side + " must have the type \"object\"");
      }
    }
    if (action.input != nullptr && !action.input->allows_unknown_properties()) {
      problem(
          where +
          "input may not forbid additional properties: unknown inputs are ignored, and any task may carry "
          "\"timeout\"");
    }
    action.extra_json = extra(source);
    manifest.actions.push_back(std::move(action));
  }

  static std::string extra(const json::Value& action) {
    json::Document facts(rapidjson::kObjectType);
    for (const auto& member : action.GetObject()) {
      const std::string_view name = json::text(member.name);
      const bool known = name == "summary" || name == "effect" || name == "input" || name == "output";
      if (known) continue;
      facts.AddMember(json::Value(member.name, facts.GetAllocator()),
                      json::Value(member.value, facts.GetAllocator()), facts.GetAllocator());
    }
    return json::write(facts);
  }

  /// Equal schemas, of which families of actions have many, are compiled and kept once.
  std::shared_ptr<const Schema> schema(const json::Value& source, const std::string& where) {
    const auto [known, is_new] = schemas_.try_emplace(json::write(source));
    if (is_new) {
      auto compiled = Schema::compile(source, where);
      if (!compiled) {
        problem(compiled.error().message);
        return nullptr;
      }
      known->second = std::make_shared<const Schema>(std::move(*compiled));
    }
    return known->second;
  }

  std::string string(const json::Value& object, const std::string& where, std::string_view name,
                     bool required) {
    const json::Value* const value = json::find(object, name);
    if (value == nullptr && !required) return "";
    if (value == nullptr || !value->IsString() || (required && value->GetStringLength() == 0)) {
      problem(fmt::format("{}{} must be a string{}", where, name, required ? " that is not empty" : ""));
      return "";
    }
    return std::string(json::text(*value));
  }

  bool boolean(const json::Value& object, const std::string& where, std::string_view name, bool otherwise) {
    const json::Value* const value = json::find(object, name);
    if (value == nullptr) return otherwise;
    if (!value->IsBool()) problem(fmt::format("{}{} must be true or false", where, name));
    return value->IsTrue();
  }

  std::vector<std::string> strings(const json::Value& object, std::string_view name) {
    std::vector<std::string> list;
    const json::Value* const value = json::find(object, name);
    if (value == nullptr) return list;
    const auto is_text = [](const json::Value& item) {
      return item.IsString() && item.GetStringLength() > 0;
    };
    if (!value->IsArray() || !std::all_of(value->Begin(), value->End(), is_text)) {
      problem(fmt::format("{} must be a list of strings", name));
      return list;
    }
    for (const auto& item : value->GetArray()) list.emplace_back(json::text(item));
    return list;
  }

  void problem(std::string text) {
    if (problem_.empty()) problem_ = std::move(text);
  }

  std::string problem_;
  std::map<std::string, std::shared_ptr<const Schema>> schemas_;  ///< by their text
};

}  // namespace

const ActionManifest* Manifest::find_action(std::string_view name) const {
  const auto action =
      std::find_if(actions.begin(), actions.end(), [&](const auto& known) { return known.name == name; });
  return action == actions.end() ? nullptr : &*action;
}

Result<Manifest> Manifest::parse(std::string_view text) {
  return Reader().read(text);
}

}  // namespace par::core
