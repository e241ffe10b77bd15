#pragma once

#include <string>

#include <par/json.hpp>

namespace ansible_plugin {

/// The variables as YAML for `ansible-playbook -e @file`. Every text is tagged as unsafe, which makes it
/// data: an expression such as {{ lookup('pipe', ...) }} in it would else run on the runner's machine.
/// `variables` is an object whose depth the host has bounded.
std::string unsafe_yaml(const par::json::Value& variables);

/// Throws par::Error if a variable is called ansible_...: those choose how and where Ansible connects and
/// which programs it runs, which is the connection's matter.
void require_plain_names(const par::json::Value& variables);

}  // namespace ansible_plugin
