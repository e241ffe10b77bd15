#pragma once

#include <string>
#include <string_view>

#include "report.hpp"

namespace ansible_plugin {

/// What a run of ansible-playbook printed.
struct CallbackOutput {
  Hosts hosts;       ///< empty if nothing ran
  std::string text;  ///< for people: plays, tasks and what became of each host
};

/// Reads the output of the callback ansible.posix.json, or of Ansible's default callback where that is
/// missing. `text` may have lost its beginning: the statistics stand at the end in both.
CallbackOutput read_callback_output(std::string_view text);

}  // namespace ansible_plugin
