#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace par::core {

/// A value of config.yaml or of a variable, before anyone has said what it means.
struct Setting {
  enum class Kind { null, scalar, list, map };
  struct Member;

  Kind kind = Kind::null;
  std::string text;            ///< of a scalar
  bool quoted = false;         ///< a quoted scalar is text, whatever it looks like
  bool from_variable = false;  ///< lists are then written within one text
  bool secret = false;         ///< errors do not quote it
  std::string where;           ///< for errors: "<file>:<line>" or the variable's name
  std::vector<Setting> items;
  std::vector<Member> members;

  bool is_null() const { return kind == Kind::null; }
  const Setting* find(std::string_view key) const;
};

struct Setting::Member {
  std::string key;
  Setting value;
};

// What a setting can be read as. Errors say what was found and what was expected, without `where`.

/// A scalar's text without blanks at its ends; nothing is an empty text.
Result<std::string> text_of(const Setting& setting);
/// true, yes, on, 1 or their opposites, in any case.
Result<bool> flag_of(const Setting& setting);
/// A whole number, which may be written 30, 30.0 or 3e1.
Result<int64_t> whole_number_of(const Setting& setting, int64_t least, int64_t most);
/// Seconds, which may have a fraction.
Result<Milliseconds> seconds_of(const Setting& setting, int64_t least, int64_t most);
/// Whole milliseconds.
Result<Milliseconds> milliseconds_of(const Setting& setting, int64_t least, int64_t most);
/// A list of texts: in the file a YAML list (empty items are left out); in a variable a JSON list, or words
/// between commas, blanks or newlines.
Result<std::vector<std::string>> list_of(const Setting& setting);
/// The setting as JSON. Plain scalars become null, booleans and numbers as YAML 1.2's core schema says.
std::string json_of(const Setting& setting);

}  // namespace par::core
