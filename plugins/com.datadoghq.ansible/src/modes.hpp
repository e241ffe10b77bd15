#pragma once

#include <string>
#include <utility>
#include <vector>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "inputs.hpp"
#include "report.hpp"

namespace ansible_plugin {

/// plugins.com.datadoghq.ansible of the configuration.
struct Settings {
  bool allow_local = false;
  std::string program = "ansible-playbook";
  std::vector<std::pair<std::string, std::string>> environment;
};

// Each runs a playbook in one mode and returns what is known of a run that has not failed. They throw
// par::Error.

/// A job template of AWX or Automation Controller.
Report run_on_controller(const Inputs& inputs, const par::Connection& connection, par::Call& call);
/// An event for Event-Driven Ansible.
Report send_to_webhook(const Inputs& inputs, const par::Connection& connection, par::Call& call);
/// ansible-playbook on this machine.
Report run_locally(const Inputs& inputs, const par::Connection& connection, const Settings& settings,
                   par::Call& call);

}  // namespace ansible_plugin
