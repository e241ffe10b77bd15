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

using LibraryKey = std::pair<std::filesystem::path, std::string>;  // the file, and its pinned hash

struct Loaded {
  boost::dll::shared_library library;
  FileDescriptor file;  // of a pinned one
};

/// A library is loaded once and stays: this is never destroyed, since without a handle it would be unloaded.
struct Libraries {
  std::mutex mutex;
  std::map<LibraryKey, Loaded> loaded;
};

Libraries& libraries() {
  static auto& all = *new Libraries;
  return all;
}

/// Loads a library, unless that is done. A pinned one is loaded through the descriptor that was hashed,
/// whatever stands under its name by now. The descriptor stays open: the dynamic linker takes a path that it
/// has seen for the library that it was then, so its number must not come again. No lock is held while the
/// library's constructors run. Throws what Boost throws.
const boost::dll::shared_library& load_once(const LibraryKey& key, FileDescriptor file) {
  {
    const std::lock_guard lock(libraries().mutex);
    const auto found = libraries().loaded.find(key);
    if (found != libraries().loaded.end()) return found->second.library;
  }
  const bool pinned = !key.second.empty();
  const std::string source = pinned ? fmt::format("/proc/self/fd/{}", file.get()) : key.first.native();
  boost::dll::shared_library library(source,
                                     boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  const std::lock_guard lock(libraries().mutex);
  Loaded loaded{std::move(library), pinned ? std::move(file) : FileDescriptor()};
  return libraries().loaded.try_emplace(key, std::move(loaded)).first->second.library;
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
  auto opened = open_library(file);
  if (!opened) return fail_in(file.string(), opened);
  if (!entry.pinned_sha256.empty()) {
    if (const auto right = check_hash(*opened, entry.pinned_sha256); !right)
      return fail_in(file.string(), right);
  }
  try {
    const auto& library = load_once({file, entry.pinned_sha256}, std::move(*opened));
    if (!library.has(PAR_PLUGIN_ENTRY_NAME))
      return fail(fmt::format("{} does not export {}", file.string(), PAR_PLUGIN_ENTRY_NAME));
    const par_plugin_entry function = &library.get<const par_plugin*()>(PAR_PLUGIN_ENTRY_NAME);
    const par_plugin* const table = function();
    if (const auto valid = check_table(table, entry.manifest->text); !valid)
      return fail_in(file.string(), valid);
    return table;
  } catch (const std::exception& error) {
    return fail(fmt::format("{} cannot be loaded: {}", file.string(), load_error(error)));
  }
}

}  // namespace par::core
