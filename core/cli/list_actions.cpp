#include "core/cli/list_actions.hpp"

#include <map>

#include "core/base/json.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/library_file.hpp"
#include "core/policy/allowlist.hpp"

namespace par::core {

std::string list_actions(const Catalog& catalog) {
  std::string text;
  for (const std::string& name : catalog.actions()) text += name + "\n";
  return text;
}

std::string list_actions_json(const Catalog& catalog, const ActionsAllowlist* allowlist) {
  std::map<std::string, std::string> lines;  // sorted by name
  for (const auto& [plugin_namespace, entry] : catalog.entries()) {
    if (!entry.manifest) continue;
    const auto file = open_library(entry.file);
    const auto hash = file ? file_sha256(*file) : tl::unexpected(file.error());
    for (const ActionManifest& action : entry.manifest->actions) {
      const std::string name = plugin_namespace + "." + action.name;
      rapidjson::StringBuffer buffer;
      json::Writer writer(buffer);
      writer.StartObject();
      writer.Key("name");
      writer.String(name);
      writer.Key("summary");
      writer.String(action.summary);
      writer.Key("library");
      writer.String(entry.file.native());
      writer.Key("version");
      writer.String(entry.manifest->version);
      if (hash) {
        writer.Key("sha256");
        writer.String(*hash);
      }
      writer.Key("pinned");
      writer.Bool(!entry.pinned_sha256.empty());
      writer.Key("effect");
      writer.String(action.writes ? "writes" : "reads");
      if (allowlist != nullptr) {
        writer.Key("allowed");
        writer.Bool(allowlist->allows(plugin_namespace, action.name));
      }
      writer.EndObject();
      lines.emplace(name, std::string(buffer.GetString(), buffer.GetSize()));
    }
  }
  std::string text = "[";
  for (const auto& [name, line] : lines) text += (text.size() == 1 ? "\n  " : ",\n  ") + line;
  return text + (lines.empty() ? "]\n" : "\n]\n");
}

}  // namespace par::core
