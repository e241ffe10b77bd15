#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace kubernetes {

/// A member of an object: its name as it is written (escapes and all) and the text of its value.
struct Slice {
  std::string_view name;
  std::string_view value;
};

/// The members of the JSON object `text`, as pieces of it, so that a large answer is neither parsed into a
/// tree nor written again: its numbers stay as they are. Nothing if the text is no object; what is inside the
/// values is not checked.
std::optional<std::vector<Slice>> slices_of(std::string_view text);

/// Value of the first member of that name; empty if there is none.
std::string_view find_slice(const std::vector<Slice>& slices, std::string_view name);

}  // namespace kubernetes
