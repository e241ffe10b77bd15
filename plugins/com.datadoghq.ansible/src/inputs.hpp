#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <par/json.hpp>

namespace ansible_plugin {

/// The inputs of invokePlaybook, valid against the manifest's schema. Owns the JSON that extra_vars points
/// into.
class Inputs {
 public:
  explicit Inputs(std::string_view inputs_json);
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  std::string playbook;
  std::string inventory;                         ///< empty: not given
  std::string limit;                             ///< empty: not given
  const par::json::Value* extra_vars = nullptr;  ///< null: not given or empty
  std::vector<std::string> tags;
  std::vector<std::string> skip_tags;
  bool check = false;
  int verbosity = 0;
  std::optional<bool> wait;
  int64_t poll_interval_seconds = 5;

 private:
  par::json::Document document_;
};

/// The texts with commas between them, as Ansible takes a list of tags.
std::string comma_joined(const std::vector<std::string>& texts);

}  // namespace ansible_plugin
