#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <par/json.hpp>

#include "verbs.hpp"

namespace kubernetes {

/// The inputs of an action. Views into the parsed document, which this object owns.
class Inputs {
 public:
  /// `inputs_json` is valid against the manifest. Throws par::Error where the schema cannot tell.
  Inputs(std::string_view inputs_json, const Kind& kind, const VerbRow& verb);
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  std::string_view name_space;  ///< empty: all of them, or the kind has none
  std::string_view name;        ///< of the object; for an update from its manifest
  const par::json::Value* body = nullptr;
  std::string_view dry_run;
  std::string_view field_manager;
  std::string_view field_validation;
  std::string_view label_selector;
  std::string_view field_selector;
  std::string_view propagation_policy;
  std::optional<int64_t> grace_period_seconds;
  std::optional<bool> force;
  int64_t limit = 0;                ///< 0: none
  std::string_view continue_token;  ///< of a list that limit cut

 private:
  par::json::Document document_;
};

}  // namespace kubernetes
