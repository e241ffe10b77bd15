#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace par::core {

class Schema;
struct Manifest;

/// Inputs of a task, ready for the plugin.
struct PreparedInputs {
  std::string json;                        ///< one object, valid against the action's input schema
  std::optional<Milliseconds> time_limit;  ///< from the member `timeout`, which any action may carry
};

/// Brings the inputs of a task into the form that the action's schema describes, then validates them.
///
/// In an object whose schema lists `properties`, members that are null are dropped unless their schema allows
/// null, and a member that differs from a property only in case gets the property's name (if that is not
/// there already). Members that the schema does not know stay as they are. Whole numbers written as 1.0
/// become integers where the schema asks for integers. This reaches into the listed properties, the elements
/// of their arrays and `allOf`; anything below an object without `properties` is left untouched, and so is
/// the inside of `anyOf` and `oneOf`.
///
/// The time limit is the member `timeout` of the inputs as they came, if it is a whole number of seconds from
/// 1 to 2^31-1; anything else there is ignored. The text is returned as it came when nothing had to change.
/// Errors: not an object, or the first violation with its path (`inputs.headers[2].key is ...`).
Result<PreparedInputs> prepare_inputs(std::string inputs_json, const Schema& schema);

/// Checks the operator's settings for a plugin (a JSON object, or empty for none) against the manifest's
/// config_schema. Errors name the place: `plugins.<namespace>.pageSize is ...`.
Result<void> check_settings(const Manifest& manifest, std::string_view settings_json);

}  // namespace par::core
