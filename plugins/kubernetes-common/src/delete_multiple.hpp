#pragma once

#include "client.hpp"
#include "inputs.hpp"
#include "paths.hpp"

namespace kubernetes {

/// Query that selects objects as the inputs say; `limit` 0: all of them.
Query selection(const Inputs& inputs, int64_t limit);

/// Deletes the selected objects with one request. If that is forbidden, as for the rights that the official
/// chart grants, lists them and deletes one after the other; objects that vanish meanwhile do not count.
/// Throws par::Error; once objects were deleted it says how many.
void delete_multiple(Client& client, const Kind& kind, const VerbRow& verb, const Inputs& inputs);

}  // namespace kubernetes
