#pragma once

#include <span>
#include <string>
#include <string_view>

#include "kinds.hpp"

namespace kubernetes {

/// An input of an action, apart from `namespace`, which every action of a namespaced kind has.
struct Input {
  std::string_view name;
  std::string_view schema;  ///< JSON
  bool required = false;
};

enum class Output { object, list, nothing };

/// One verb: how its actions are named, what they take, do and need.
struct VerbRow {
  Verb verb;
  std::string_view name;    ///< of an action without its kind
  bool plural;              ///< whether the kind's plural follows
  std::string_view method;  ///< of the HTTP request
  bool writes;
  Output output;
  bool needs_namespace;  ///< false: no namespace means all of them
  std::span<const Input> inputs;
  std::string_view rbac_verb;  ///< the one that suffices
  std::string_view summary;    ///< the kind follows

  std::string action_name(const Kind& kind) const;
};

std::span<const VerbRow> all_verbs();

}  // namespace kubernetes
