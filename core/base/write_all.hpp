#pragma once

#include <string_view>

namespace par::core {

/// Writes the whole of `text` to a descriptor that blocks, however many calls that takes. An errno value, or
/// 0; after an error a part may be written.
int write_all(int fd, std::string_view text) noexcept;

}  // namespace par::core
