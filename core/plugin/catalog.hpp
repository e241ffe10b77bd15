#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/plugin/manifest.hpp"

namespace par::core {

/// One library of the plugin directories: its manifest, or what is wrong with it.
struct CatalogEntry {
  std::filesystem::path file;
  Result<Manifest> manifest = fail("not read");
  std::string pinned_sha256;  ///< in hexadecimal; empty: any content will do
};

/// All plugin libraries that are installed, known from their manifests alone: no code of theirs runs.
class Catalog {
 public:
  /// Reads every `*.so` of the directories; the first directory that has a namespace wins. A directory that
  /// does not exist is listed in warnings(). `hashes`: SHA-256 that the operator pinned, by namespace; a
  /// library is compared with it when it is loaded.
  static Catalog scan(const std::vector<std::filesystem::path>& directories,
                      const std::map<std::string, std::string>& hashes = {});

  const CatalogEntry* find(std::string_view plugin_namespace) const;
  const std::map<std::string, CatalogEntry, std::less<>>& entries() const { return entries_; }
  const std::vector<std::filesystem::path>& directories() const { return directories_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Full names of all actions of all readable libraries, sorted.
  std::vector<std::string> actions() const;

 private:
  std::vector<std::filesystem::path> directories_;
  std::map<std::string, CatalogEntry, std::less<>> entries_;  ///< by namespace: the file's name without ".so"
  std::vector<std::string> warnings_;
};

/// The bytes of the section `.par_manifest` of an ELF file, up to the first NUL. Reads the file only; every
/// offset in it is untrusted. Errors: not an ELF file of this machine, no such section, truncated.
Result<std::string> read_manifest_section(const std::filesystem::path& file);

}  // namespace par::core
