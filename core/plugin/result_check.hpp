#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <par/plugin.h>

namespace par::core {

/// Checks that the concatenation of `parts` is one JSON object in UTF-8 without lone surrogates, of at most
/// 256 levels and `max_bytes` bytes. Streams over the parts: needs no memory that grows with them. PAR_OK,
/// PAR_LIMIT, PAR_BAD_RESULT, or PAR_INVALID for null pointers; `problem` then says why.
par_status check_result(const par_str* parts, size_t count, uint64_t max_bytes, std::string& problem);

}  // namespace par::core
