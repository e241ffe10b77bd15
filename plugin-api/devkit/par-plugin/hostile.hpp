#pragma once

#include <string>
#include <vector>

#include "core/plugin/schema.hpp"
#include "plugin-api/devkit/par-plugin/subject.hpp"

namespace par::kit {

/// Variants of a sample's inputs that fit `schema`, as the runner promises, in the form in which it hands
/// them over: huge and odd texts in place of each text, numbers at the limits, deep and unknown members.
std::vector<std::string> hostile_inputs(const std::string& inputs, const core::Schema& schema);

/// Variants of a connection whose credentials and settings are huge and odd texts, or missing.
std::vector<std::string> hostile_connections(const std::string& connection);

/// Answers of servers and programs: empty, cut, deep, huge, no UTF-8, odd statuses, many headers.
std::vector<Answer> hostile_answers();

}  // namespace par::kit
