#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace par::core {

/// Keeps an identity that was made but cannot be written to where it belongs, so that it is not lost: in a
/// new file par-runner-identity.XXXXXX, mode 0600, in the first of `directories` that takes it (an empty path
/// is left out), else in the current or the temporary directory. Returns the file; the error says why each
/// directory failed.
Result<std::filesystem::path> keep_spare_copy(std::vector<std::filesystem::path> directories,
                                              std::string_view text);

}  // namespace par::core
