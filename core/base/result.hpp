#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

// C++20 has no std::expected; tl::expected is the same interface from the distribution.

namespace par::core {

/// Why something failed, for people: what was found, what was expected, what to do. Never holds a secret.
struct Error {
  std::string message;
};

template <typename T, typename E = Error>
using Result = tl::expected<T, E>;

/// A failed result: `return fail("...")`.
[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

/// The error of `result` with context in front: `return fail_in("config.yaml", result)`.
template <typename T>
[[nodiscard]] tl::unexpected<Error> fail_in(const std::string& context, const Result<T>& result) {
  return fail(context + ": " + result.error().message);
}

}  // namespace par::core
