#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kubernetes {

enum class JsonType { object, array, string, integer, boolean, any };

/// A member of an object of the API that actions return.
struct Field {
  std::string_view name;
  JsonType type = JsonType::object;
  bool always = false;  ///< given with the type's empty value where the server leaves it out
};

enum class Scope { cluster, namespaced };

/// What can be done with a kind; the names of the actions are in verbs.hpp.
enum class Verb : unsigned { create, get, list, update, patch, remove, remove_multiple, restart };

/// Set of verbs.
using Verbs = unsigned;
constexpr Verbs only(Verb verb) {
  return 1u << static_cast<unsigned>(verb);
}
constexpr bool holds(Verbs verbs, Verb verb) {
  return (verbs & only(verb)) != 0;
}

/// One kind of the API. Everything about its actions follows from this row.
struct Kind {
  std::string_view group;  ///< of the API, empty for the core group
  std::string_view version;
  std::string_view name;
  std::string_view plural;  ///< as it stands in names of actions; in small letters the resource of the API
  Scope scope;
  Verbs verbs;
  std::span<const Field> fields;  ///< what actions return of an object; empty: the whole object

  std::string api_version() const;
  std::string resource() const;   ///< as in paths and RBAC rules: "configmaps"
  std::string chart_key() const;  ///< under `kubernetesActions` of the official chart: "configMaps"
};

/// The kinds of one plugin, com.datadoghq.kubernetes.<name>.
struct Bundle {
  std::string_view name;
  std::span<const Kind> kinds;
  bool tests_connection;  ///< has the action testConnection
};

/// Null if there is no bundle of that name.
const Bundle* find_bundle(std::string_view name);

}  // namespace kubernetes
