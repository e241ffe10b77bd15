#include "core/plugin/catalog.hpp"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "core/plugin/library_file.hpp"

namespace par::core {
namespace {

Result<Manifest> read_manifest(const std::filesystem::path& file, const std::string& name) {
  const auto text = read_manifest_section(file);
  if (!text) return fail_in(file.string(), text);
  auto manifest = Manifest::parse(*text);
  if (!manifest) return fail_in(file.string(), manifest);
  if (manifest->plugin_namespace != name) {
    return fail(fmt::format("{}: the library is of namespace {}, so its file must be named {}.so",
                            file.string(), manifest->plugin_namespace, manifest->plugin_namespace));
  }
  return manifest;
}

}  // namespace

Catalog Catalog::scan(const std::vector<std::filesystem::path>& directories,
                      const std::map<std::string, std::string>& hashes) {
  Catalog catalog;
  catalog.directories_ = directories;
  for (const auto& directory : directories) {
    std::error_code error;
    const auto trusted = check_library_directory(directory);
    if (!trusted) catalog.warnings_.push_back(trusted.error().message);
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
      const std::filesystem::path& file = at->path();
      if (file.extension() != ".so" || file.stem().empty()) continue;
      const std::string name = file.stem().string();
      const auto [entry, is_new] = catalog.entries_.try_emplace(name);
      if (!is_new) continue;
      entry->second.file = file;
      entry->second.manifest = trusted ? read_manifest(file, name) : tl::unexpected(trusted.error());
      if (const auto pinned = hashes.find(name); pinned != hashes.end())
        entry->second.pinned_sha256 = pinned->second;
    }
    if (error) {
      catalog.warnings_.push_back(
          fmt::format("plugins directory {} cannot be read: {}", directory.string(), error.message()));
    }
  }
  return catalog;
}

const CatalogEntry* Catalog::find(std::string_view plugin_namespace) const {
  const auto entry = entries_.find(plugin_namespace);
  return entry == entries_.end() ? nullptr : &entry->second;
}

std::vector<std::string> Catalog::actions() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (!entry.manifest) continue;
    for (const auto& action : entry.manifest->actions) names.push_back(name + "." + action.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace par::core
