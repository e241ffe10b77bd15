#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <par/json.hpp>

namespace postgresql_plugin {

/// Values for the placeholders of one statement, in PostgreSQL's text form; the server infers their types.
class Parameters {
 public:
  Parameters() = default;
  /// `list` is an array of scalars, or null for none. Numbers are written in the shortest form without an
  /// exponent (1, not 1.0), null is SQL's NULL. `name` is what errors call the list. Throws par::Error at an
  /// array, an object, or a text with a NUL.
  Parameters(const par::json::Value* list, std::string_view name);
  /// Texts as they are.
  explicit Parameters(std::vector<std::optional<std::string>> texts) : texts_(std::move(texts)) {}

  int count() const { return static_cast<int>(texts_.size()); }
  /// C strings, null for NULL; valid as long as this object.
  std::vector<const char*> pointers() const;

 private:
  std::vector<std::optional<std::string>> texts_;
};

}  // namespace postgresql_plugin
