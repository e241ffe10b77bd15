#pragma once

#include <string>

#include <par/json.hpp>

namespace ansible_plugin {

// What a workflow may say in a local run. Ansible hands these texts on to programs and files of the runner's
// machine, so that a careless one would run commands or show files there. Each throws par::Error, which names
// the input.

/// "web1,10.0.0.7:2222," with a comma at its end: names and addresses, each with an optional port. Ansible
/// puts them before ssh as arguments, so one that begins with '-' would be an option, and "a[1:9]" is a range
/// of any size.
void require_host_list(const std::string& inventory);

/// A host pattern. "@file" anywhere in it makes Ansible read patterns from that file and print those that
/// match nothing.
void require_host_pattern(const std::string& limit);

/// Variables of the playbook only: plain names, none of those with which Ansible says how and where it
/// connects and what it runs. `variables` is an object.
void require_data_names(const par::json::Value& variables);

}  // namespace ansible_plugin
