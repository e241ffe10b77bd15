#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "inputs.hpp"

namespace kubernetes {

/// The manifest as compact JSON with the kind's apiVersion and kind in front, whatever it said itself.
std::string manifest_body(const Kind& kind, const par::json::Value& manifest);

/// What a DELETE carries. With `uid` the object is deleted only if it is still that one. Options go into this
/// body and nowhere else: a server that gets one ignores the query, dryRun included.
std::string delete_options(const Inputs& inputs, std::string_view uid = {});

/// The merge patch that makes a workload's controller replace its pods.
std::string restart_patch(std::time_t now);

}  // namespace kubernetes
