#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace par::core {

/// The decimal number that is the whole of `text`; nothing if `text` is anything else, or does not fit in
/// `Number`.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace par::core
