#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/plugin/pattern.hpp"

namespace par::core {

/// A JSON Schema of a manifest, compiled. The supported part of draft 4 is this list; every other keyword is
/// refused when the manifest is read, since a keyword that is ignored would let everything pass:
///
///   any value    type (a name or a list), enum (of strings, numbers, booleans, null), allOf, anyOf, oneOf,
///   not objects      properties, required, additionalProperties, minProperties, maxProperties arrays items
///   (one schema for all), minItems, maxItems strings      minLength, maxLength (in code points), pattern
///   (see Pattern) numbers      minimum, maximum, exclusiveMinimum, exclusiveMaximum (booleans, as in draft
///   4) annotations  $schema (draft 4), title, description, default
///
/// An `integer` is a whole number that fits 64 bits; 1.0 is one. There is no $ref, so a schema is as deep as
/// its text and neither compiling nor validating recurses below the 256 levels that parsing allows.
/// Immutable, thread-safe.
class Schema {
 public:
  using Type = uint8_t;  ///< set of k_null ... k_object
  static constexpr Type k_null = 1, k_boolean = 2, k_integer = 4, k_number = 8, k_string = 16, k_array = 32,
                        k_object = 64, k_any = 127;

  /// Compiles `schema`. `where` is its place in the manifest, for errors such as
  /// `actions.get.input.properties.url: keyword "format" is not supported`.
  static Result<Schema> compile(const json::Value& schema, const std::string& where);

  /// Checks `value`. The error names the first violation with its place, what was found and what was
  /// expected: `inputs.headers[2].key is a number, expected a string`. `name` is what the path begins with.
  /// Strings are shown only where the schema lists the possible ones.
  Result<void> validate(const json::Value& value, std::string_view name) const;

  // What normalisation needs to know.

  bool lists_properties() const { return lists_properties_; }
  bool allows_unknown_properties() const { return !additional_forbidden_; }
  bool allows_null() const;
  Type types() const { return types_; }
  /// The schema of a property by its exact name, or null.
  const Schema* property(std::string_view name) const;
  /// The property that equals `name` but for the case of ASCII letters, or null.
  const std::pair<std::string, Schema>* property_ignoring_case(std::string_view name) const;
  const Schema* items() const { return items_.get(); }
  const std::vector<Schema>& all_of() const { return all_of_; }

 private:
  friend class SchemaCompiler;
  /// A value that does not fit; `path` is relative to the value that was checked.
  struct Violation {
    std::string path;
    std::string found;
    std::string expected;
  };
  using Check = std::optional<Violation>;

  Check check(const json::Value& value) const;
  Check check_type(const json::Value& value) const;
  Check check_enum(const json::Value& value) const;
  Check check_number(const json::Value& value) const;
  Check check_string(const json::Value& value) const;
  Check check_array(const json::Value& value) const;
  Check check_object(const json::Value& value) const;
  Check check_alternatives(const json::Value& value) const;
  std::string expectation() const;

  /// Bounds, of which most schemas have none.
  struct Bounds {
    std::optional<double> minimum, maximum;
    bool exclusive_minimum = false, exclusive_maximum = false;
    uint64_t min_length = 0, max_length = UINT64_MAX;
    uint64_t min_items = 0, max_items = UINT64_MAX;
    uint64_t min_properties = 0, max_properties = UINT64_MAX;
    std::optional<Pattern> pattern;
    std::string pattern_source;
  };

  Type types_ = k_any;
  bool lists_properties_ = false;
  bool additional_forbidden_ = false;
  std::vector<std::string> enum_;  ///< the values as compact JSON
  std::vector<std::pair<std::string, Schema>> properties_;
  std::vector<std::string> required_;
  std::shared_ptr<const Schema> additional_;
  std::shared_ptr<const Schema> items_;
  std::shared_ptr<const Schema> not_;
  std::shared_ptr<const Bounds> bounds_;
  std::vector<Schema> all_of_, any_of_, one_of_;
};

}  // namespace par::core
