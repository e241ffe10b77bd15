#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace par::kit {

/// What the file of a shared library tells without being loaded.
struct ElfFacts {
  std::vector<std::string> exports;  ///< defined dynamic symbols that others could use
  std::vector<std::string> needed;   ///< libraries
  bool executable_stack = false;
  bool text_relocations = false;
  bool nodelete = false;
};

/// Reads them from a 64-bit ELF file of this machine's byte order; its content is untrusted.
core::Result<ElfFacts> read_elf_facts(const std::filesystem::path& file);

}  // namespace par::kit
