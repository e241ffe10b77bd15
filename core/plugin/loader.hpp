#pragma once

#include <par/plugin.h>

#include "core/base/result.hpp"
#include "core/plugin/catalog.hpp"

namespace par::core {

/// Loads the library of a catalog entry that has a manifest, runs its initialisers, and checks its table:
/// present, magic, version, size, functions, and a manifest() equal to the one read from the file. A library
/// is never unloaded: threads, exit handlers and thread-local destructors of it may run until the process
/// ends. May block as long as the library likes. Thread-safe. The error names the file and what is wrong.
Result<const par_plugin*> load_plugin(const CatalogEntry& entry);

/// The checks of load_plugin on a table that is in memory already.
Result<void> check_table(const par_plugin* table, std::string_view manifest);

}  // namespace par::core
