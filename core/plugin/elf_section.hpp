#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/result.hpp"

namespace par::core {

/// Reads exactly `size` bytes at `offset`. Called only for ranges inside the file.
using ReadAt = std::function<Result<std::string>(uint64_t offset, uint64_t size)>;

/// The manifest in an ELF file of `file_size` bytes: see read_manifest_section. Reads at most about 20 MiB,
/// in pieces.
Result<std::string> find_manifest(uint64_t file_size, const ReadAt& read);

}  // namespace par::core
