// What can be told without running anything of the library.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <par/plugin.h>

#include "core/base/json.hpp"
#include "core/plugin/catalog.hpp"
#include "plugin-api/devkit/par-plugin/checks.hpp"
#include "plugin-api/devkit/par-plugin/elf_facts.hpp"

namespace par::kit {
namespace {

Verdict manifest_section(const std::filesystem::path& file) {
  const auto text = core::read_manifest_section(file);
  if (!text) return failed(text.error().message);
  const auto document = core::parse_json(*text);
  if (!document)
    return failed("the section " PAR_MANIFEST_SECTION " is not JSON: " + document.error().message);
  return document->IsObject() ? passed()
                              : failed("the section " PAR_MANIFEST_SECTION " is not a JSON object");
}

Verdict manifest_valid(const std::filesystem::path& file) {
  const auto text = core::read_manifest_section(file);
  if (!text) return skipped("there is no manifest");
  const auto manifest = core::Manifest::parse(*text);
  return manifest ? passed() : failed(manifest.error().message);
}

Verdict known_members(const json::Value& object, const std::set<std::string_view>& known,
                      const std::string& where) {
  if (!object.IsObject()) return passed();
  for (const auto& member : object.GetObject()) {
    if (known.count(json::text(member.name)) != 0) continue;
    return failed(fmt::format("{}\"{}\" is not a member that a manifest has; expected one of {}", where,
                              json::text(member.name), fmt::join(known, ", ")));
  }
  return passed();
}

Verdict manifest_members(const std::filesystem::path& file) {
  const auto text = core::read_manifest_section(file);
  const auto document = text ? core::parse_json(*text) : core::parse_json("");
  if (!document) return skipped("there is no manifest");
  Verdict verdict = known_members(*document,
                                  {"manifest_version", "namespace", "version", "services", "max_concurrency",
                                   "own_threads", "config_schema", "connection", "environment", "files",
                                   "actions", "description", "license", "contact", "homepage"},
                                  "");
  if (verdict.is_bad()) return verdict;
  const json::Value* const connection = json::find(*document, "connection");
  if (connection == nullptr) return verdict;
  verdict = known_members(*connection, {"tokens"}, "connection.");
  const json::Value* const tokens = connection->IsObject() ? json::find(*connection, "tokens") : nullptr;
  if (verdict.is_bad() || tokens == nullptr || !tokens->IsArray()) return verdict;
  for (const auto& token : tokens->GetArray()) {
    verdict = known_members(token, {"name", "required", "secret", "description"}, "connection.tokens: ");
    if (verdict.is_bad()) return verdict;
  }
  return verdict;
}

Verdict library_name(const std::filesystem::path& file) {
  const auto text = core::read_manifest_section(file);
  if (!text) return skipped("there is no manifest");
  const auto manifest = core::Manifest::parse(*text);
  if (!manifest) return skipped("the manifest is not valid");
  if (file.filename() == manifest->plugin_namespace + ".so") return passed();
  return failed(fmt::format("the file is {}, but its namespace {} asks for {}.so", file.filename().string(),
                            manifest->plugin_namespace, manifest->plugin_namespace));
}

Verdict library_exports(const std::filesystem::path& file) {
  const auto facts = read_elf_facts(file);
  if (!facts) return failed(facts.error().message);
  if (facts->exports == std::vector<std::string>{PAR_PLUGIN_ENTRY_NAME}) return passed();
  if (facts->exports.empty()) return failed("it exports nothing, expected " PAR_PLUGIN_ENTRY_NAME);
  return failed(fmt::format("it exports {}; expected {} alone (link with a version script)",
                            fmt::join(facts->exports, ", "), PAR_PLUGIN_ENTRY_NAME));
}

Verdict library_linkage(const std::filesystem::path& file) {
  const auto facts = read_elf_facts(file);
  if (!facts) return skipped(facts.error().message);
  if (facts->executable_stack) return failed("its stack is executable (link with -z noexecstack)");
  return facts->text_relocations ? failed("it has text relocations (compile with -fPIC)") : passed();
}

Verdict library_stays(const std::filesystem::path& file) {
  const auto facts = read_elf_facts(file);
  if (!facts) return skipped(facts.error().message);
  return facts->nodelete ? passed() : failed("it can be unloaded (link with -z nodelete)");
}

constexpr Check k_checks[] = {
    {"manifest.section", "PAR-M1", "the section .par_manifest holds one JSON object", manifest_section,
     nullptr},
    {"manifest.valid", "PAR-M3 PAR-M5 PAR-M6", "the runner accepts the manifest and its schemas",
     manifest_valid, nullptr},
    {"manifest.members", "PAR-M3", "no member of the manifest is misspelt", manifest_members, nullptr},
    {"library.name", "PAR-L1 PAR-M4", "the file is named after its namespace", library_name, nullptr},
    {"library.exports", "PAR-L2", "it exports par_plugin_v1 and nothing else", library_exports, nullptr},
    {"library.linkage", "PAR-L4", "no executable stack, no text relocations", library_linkage, nullptr},
    {"library.stays", "PAR-L6", "it cannot be unloaded", library_stays, nullptr},
};

}  // namespace

std::span<const Check> file_checks() {
  return k_checks;
}

}  // namespace par::kit
