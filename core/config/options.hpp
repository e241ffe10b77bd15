#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/config.hpp"
#include "core/config/setting.hpp"

namespace par::core {

/// One option of the operator: its names, and how its value gets into the configuration. The table of all
/// options is what load_config() reads; config/config.example.yaml and config/config.schema.json describe the
/// same ones, and a test compares the three.
struct Option {
  std::string_view key;             ///< in config.yaml; empty: can only be given as a variable
  std::string_view variable;        ///< wins over the file
  std::string_view other_variable;  ///< another name for it, of the Datadog Agent; may be empty
  bool secret = false;  ///< errors do not quote it, and <variable>_FILE may name a file that holds it
  Result<void> (*apply)(const Setting& setting, Config& config);
};

const std::vector<Option>& options();

}  // namespace par::core
