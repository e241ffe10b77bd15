#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/result.hpp"

namespace par::core {

class Schema;

/// One action of a plugin, as its manifest describes it.
struct ActionManifest {
  std::string name;  ///< within the namespace
  std::string summary;
  bool writes = true;  ///< changes something outside
  std::shared_ptr<const Schema> input;
  std::shared_ptr<const Schema> output;
  std::string extra_json;  ///< further facts, such as RBAC verbs; "{}" if none
};

/// One token that a plugin's connections may carry.
struct TokenManifest {
  std::string name;
  bool required = false;
  bool secret = true;
  std::string description;
};

/// What a plugin says of itself, read from its file without loading it.
struct Manifest {
  std::string plugin_namespace;
  std::string version;
  std::vector<std::string> services;
  uint32_t max_concurrency = 0;  ///< 0: no limit of its own
  bool own_threads = false;
  std::shared_ptr<const Schema> config_schema;  ///< null: takes no settings
  std::vector<TokenManifest> tokens;
  std::vector<std::string> environment;
  std::vector<std::string> files;
  std::vector<ActionManifest> actions;
  std::string text;  ///< the bytes as they stand in the file

  const ActionManifest* find_action(std::string_view name) const;

  /// Reads and checks a manifest: required members, names, schemas within the supported subset. The error
  /// names the member.
  static Result<Manifest> parse(std::string_view text);
};

}  // namespace par::core
