#include "core/plugin/loader.hpp"

#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <boost/dll/shared_library.hpp>
#include <fmt/format.h>

#include "core/plugin/library_file.hpp"

namespace par::core {
namespace {

/// What a table of version 1.0 holds; later versions only add to it.
constexpr size_t k_first_table_size = offsetof(par_plugin, extension) + sizeof(par_plugin::extension);

/// Boost puts the useful text of dlerror into the middle of its own.
std::string load_error(const std::exception& error) {
  const std::string text = error.what();
  constexpr std::string_view k_begin = "dlerror system message: ";
  const size_t begin = text.find(k_begin);
  const size_t end = text.rfind("): ");
  if (begin == std::string::npos || end == std::string::npos || end < begin + k_begin.size()) return text;
  return text.substr(begin + k_begin.size(), end - begin - k_begin.size());
}

/// Keeps one handle of each library in storage that is never destroyed: without any it would be unloaded.
void keep_for_ever(const std::filesystem::path& file, boost::dll::shared_library library) {
  static auto& mutex = *new std::mutex;
  static auto& libraries = *new std::map<std::filesystem::path, boost::dll::shared_library>;
  const std::lock_guard lock(mutex);
  libraries.try_emplace(file, std::move(library));
}

Result<void> check_hash(const FileDescriptor& file, const std::string& expected) {
  const auto hash = file_sha256(file);
  if (!hash) return tl::unexpected(hash.error());
  if (*hash == expected) return {};
  return fail(fmt::format("its SHA-256 is {}, pluginHashes expects {}; it is not loaded", *hash, expected));
}

}  // namespace

Result<void> check_table(const par_plugin* table, std::string_view manifest) {
  if (table == nullptr) return fail("its " PAR_PLUGIN_ENTRY_NAME "() returned no table");
  if (table->magic != PAR_MAGIC) {
    return fail(
        fmt::format("wrong magic {:#010x}, expected {:#010x}: not a plugin table", table->magic, PAR_MAGIC));
  }
  if (table->abi_major != PAR_ABI_MAJOR) {
    return fail(fmt::format("built for plugin ABI {}, this runner has {}; use a matching plugin",
                            table->abi_major, PAR_ABI_MAJOR));
  }
  if (table->abi_minor_needed > PAR_ABI_MINOR) {
    return fail(fmt::format("needs plugin ABI {}.{}, this runner has {}.{}; use a newer runner",
                            table->abi_major, table->abi_minor_needed, PAR_ABI_MAJOR, PAR_ABI_MINOR));
  }
  if (table->struct_size < k_first_table_size) {
    return fail(fmt::format("its table is too short: {} bytes, expected at least {}", table->struct_size,
                            k_first_table_size));
  }
  const std::pair<const char*, bool> functions[] = {{"manifest", table->manifest != nullptr},
                                                    {"open", table->open != nullptr},
                                                    {"close", table->close != nullptr},
                                                    {"execute", table->execute != nullptr}};
  for (const auto& [name, present] : functions) {
    if (!present) return fail(fmt::format("its table has no function {}", name));
  }
  const par_str text = table->manifest();
  if (text.ptr == nullptr || std::string_view(text.ptr, text.len) != manifest) {
    return fail("its manifest() differs from its section " PAR_MANIFEST_SECTION
                "; build it with par_add_plugin, and restart the runner after replacing a library");
  }
  return {};
}

Result<const par_plugin*> load_plugin(const CatalogEntry& entry) {
  const std::filesystem::path file = std::filesystem::absolute(entry.file);
  const auto opened = open_library(file);
  if (!opened) return fail_in(file.string(), opened);
  std::filesystem::path source = file;
  if (!entry.pinned_sha256.empty()) {
    if (const auto right = check_hash(*opened, entry.pinned_sha256); !right)
      return fail_in(file.string(), right);
    // The descriptor that was read, whatever stands under the name by now.
    source = fmt::format("/proc/self/fd/{}", opened->get());
  }
  try {
    boost::dll::shared_library library(source,
                                       boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    const bool has_entry = library.has(PAR_PLUGIN_ENTRY_NAME);
    const par_plugin_entry function =
        has_entry ? &library.get<const par_plugin*()>(PAR_PLUGIN_ENTRY_NAME) : nullptr;
    keep_for_ever(file, std::move(library));
    if (!has_entry) return fail(fmt::format("{} does not export {}", file.string(), PAR_PLUGIN_ENTRY_NAME));
    const par_plugin* const table = function();
    if (const auto valid = check_table(table, entry.manifest->text); !valid)
      return fail_in(file.string(), valid);
    return table;
  } catch (const std::exception& error) {
    return fail(fmt::format("{} cannot be loaded: {}", file.string(), load_error(error)));
  }
}

}  // namespace par::core
