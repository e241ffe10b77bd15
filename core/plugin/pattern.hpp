#pragma once

#include <memory>
#include <string_view>

#include "core/base/result.hpp"

namespace par::core {

/// A regular expression of a schema: the part on which ECMA 262 (JSON Schema) and POSIX extended expressions
/// agree, so that the C library's automaton can run it in linear time whatever the text.
///
/// Allowed: printable ASCII characters, `.`, `[...]` with ranges and `^`, groups, `|`, `^`, `$`, `*`, `+`,
/// `?`, `{n}`,
/// `{n,}`, `{n,m}`, and a backslash before a punctuation mark (outside brackets). Not allowed: classes such
/// as `\d`, look-around, lazy quantifiers, back references, repetitions that unroll to more than 10,000
/// characters. A match may begin anywhere unless the pattern has anchors. Thread-safe.
class Pattern {
 public:
  static Result<Pattern> compile(std::string_view source);

  bool matches(std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace par::core
