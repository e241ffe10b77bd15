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
  bool plural = false;      ///< whether the kind's plural follows
  std::string_view method;  ///< of the HTTP request
  bool writes = true;
  Output output;
  bool needs_namespace = true;  ///< false: no namespace means all of them
  std::span<const Input> inputs;
  std::span<const std::string_view>
      rbac_verbs;            ///< what the account needs; the official chart grants the same
  std::string_view summary;  ///< the kind follows

  std::string action_name(const Kind& kind) const;
};

std::span<const VerbRow> all_verbs();

}  // namespace kubernetes
