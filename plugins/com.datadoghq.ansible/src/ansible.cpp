#include <string>
#include <string_view>

#include "modes.hpp"
#include "paths.hpp"

namespace ansible_plugin {
namespace {

class AnsiblePlugin {
 public:
  explicit AnsiblePlugin(const par::Setup& setup) {
    par::json::Document settings;
    std::string error;
    if (!par::json::parse(setup.settings_json, settings, error))
      throw par::Error(PAR_INTERNAL, "the settings are not valid JSON: " + error);
    if (const auto* const value = par::json::find(settings, "allowLocal"))
      settings_.allow_local = value->GetBool();
    if (const auto* const value = par::json::find(settings, "ansiblePlaybook"))
      settings_.program = par::json::text(*value);
    if (const auto* const variables = par::json::find(settings, "environment")) {
      for (const auto& [name, value] : variables->GetObject())
        settings_.environment.emplace_back(par::json::text(name), par::json::text(value));
    }
    if (settings_.allow_local) remove_left_directories();
  }

  void invoke_playbook(const par::Request& task, par::Call& call) const {
    const Inputs inputs(task.inputs_json());
    const par::Connection connection(task.connection_json());
    call.result(to_json(run(inputs, connection, call)));
  }

 private:
  // Which token a connection has says where its playbooks run.
  Report run(const Inputs& inputs, const par::Connection& connection, par::Call& call) const {
    const bool controller = connection.token("baseURL") != nullptr;
    const bool webhook = connection.token("webhookURL") != nullptr;
    const bool local = connection.token("playbookDir") != nullptr;
    if (controller + webhook + local != 1) {
      throw par::Error(std::string("the connection has ") +
                       (controller + webhook + local == 0 ? "none" : "several") +
                       " of the tokens baseURL (a controller), webhookURL (Event-Driven Ansible) and "
                       "playbookDir (ansible-playbook "
                       "on the runner's machine); it must have exactly one of them");
    }
    if (controller) return run_on_controller(inputs, connection, call);
    if (webhook) return send_to_webhook(inputs, connection, call);
    return run_locally(inputs, connection, settings_, call);
  }

  Settings settings_;
};

}  // namespace
}  // namespace ansible_plugin

PAR_PLUGIN(ansible_plugin::AnsiblePlugin,
           {"invokePlaybook", &ansible_plugin::AnsiblePlugin::invoke_playbook});
