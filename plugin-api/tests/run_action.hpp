#pragma once

#include <string_view>

#include "plugin-api/tests/fake_host.hpp"
#include "tests/catch.hpp"

namespace par::test {

/// Opens the plugin that this program is linked with, runs one action, and closes it again. Checks that
/// nothing of the host is left open. What `execute` answered.
inline par_status run_action(FakeHost& fake, std::string_view action, std::string_view inputs,
                             std::string_view connection = "{}", std::string_view settings = "{}") {
  const par_plugin* const plugin = par_plugin_v1();
  par_instance* instance = nullptr;
  REQUIRE(plugin->open(&fake.host, to_str(settings), &fake.call, &instance) == PAR_OK);
  par_request task{};
  task.struct_size = sizeof task;
  task.action = to_str(action);
  task.inputs_json = to_str(inputs);
  task.connection_json = to_str(connection);
  const par_status status = plugin->execute(instance, &task, &fake.call);
  plugin->close(instance);
  CHECK(fake.open_objects == 0);
  return status;
}

}  // namespace par::test
