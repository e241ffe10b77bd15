#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/plugin/catalog.hpp"
#include "core/plugin/manifest.hpp"
#include "plugin-api/devkit/par-plugin/commands.hpp"
#include "plugin-api/devkit/par-plugin/elf_facts.hpp"

namespace par::kit {

int inspect_command(Words words) {
  if (words.size() != 1) return complain("inspect takes one library", k_usage);
  const std::filesystem::path file(words[0]);
  const auto facts = read_elf_facts(file);
  if (!facts) return complain(facts.error().message);
  std::string text = fmt::format(
      "{}\nexports: {}\nneeds: {}\nexecutable stack: {}\ntext relocations: {}\n"
      "can be unloaded: {}\n",
      file.string(), fmt::join(facts->exports, ", "), fmt::join(facts->needed, ", "),
      facts->executable_stack ? "yes" : "no", facts->text_relocations ? "yes" : "no",
      facts->nodelete ? "no" : "yes");
  const auto section = core::read_manifest_section(file);
  const auto manifest = section ? core::Manifest::parse(*section)
                                : core::Result<core::Manifest>(tl::unexpected(section.error()));
  if (!manifest) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return complain(fmt::format("{}: {}", file.string(), manifest.error().message));
  }
  text += fmt::format("namespace: {}\nversion: {}\nservices: {}\nmax concurrency: {}\nown threads: {}\n",
                      manifest->plugin_namespace, manifest->version, fmt::join(manifest->services, ", "),
                      manifest->max_concurrency == 0 ? "any" : std::to_string(manifest->max_concurrency),
                      manifest->own_threads ? "yes" : "no");
  for (const core::TokenManifest& token : manifest->tokens) {
    text += fmt::format("token {}: {}{}\n", token.name, token.required ? "required" : "optional",
                        token.secret ? ", secret" : "");
  }
  for (const core::ActionManifest& action : manifest->actions) {
    text +=
        fmt::format("action {} ({}): {}\n", action.name, action.writes ? "writes" : "reads", action.summary);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return k_done;
}

}  // namespace par::kit
