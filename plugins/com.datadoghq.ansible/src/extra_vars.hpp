#pragma once

#include <string>

#include <par/json.hpp>

namespace ansible_plugin {

/// The variables as YAML for `ansible-playbook -e @file`. Every text is tagged as unsafe, which makes it
/// data: an expression such as {{ lookup('pipe', ...) }} in it would else run on the runner's machine.
/// `variables` is an object whose depth the host has bounded.
std::string unsafe_yaml(const par::json::Value& variables);

}  // namespace ansible_plugin
