#include <string>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "actions.hpp"
#include "login.hpp"

namespace postgresql_plugin {
namespace {

par::json::Document parsed(std::string_view text, const char* what) {
  par::json::Document document;
  std::string error;
  if (!par::json::parse(text, document, error)) {
    throw par::Error(PAR_INTERNAL, std::string(what) + " are not valid JSON: " + error);
  }
  return document;
}

/// Inputs and login of one task.
struct Task {
  explicit Task(const par::Request& request)
      : inputs(parsed(request.inputs_json(), "the inputs")),
        login(par::Connection(request.connection_json())) {}

  par::json::Document inputs;
  Login login;
};

class PostgresqlPlugin {
 public:
  explicit PostgresqlPlugin(const par::Setup& setup) {
    const par::json::Document settings = parsed(setup.settings_json, "the settings");
    const par::json::Value* const strict = par::json::find(settings, "strictUpstream");
    strict_ = strict != nullptr && strict->IsBool() && strict->GetBool();
  }

  void select(const par::Request& request, par::Call& call) const {
    const Task task(request);
    postgresql_plugin::select(task.inputs, task.login, strict_, call);
  }
  void insert(const par::Request& request, par::Call& call) const {
    const Task task(request);
    postgresql_plugin::insert(task.inputs, task.login, call);
  }
  void explain(const par::Request& request, par::Call& call) const {
    const Task task(request);
    postgresql_plugin::explain(task.inputs, task.login, false, call);
  }
  void explain_analyze(const par::Request& request, par::Call& call) const {
    const Task task(request);
    postgresql_plugin::explain(task.inputs, task.login, true, call);
  }
  void cancel_query(const par::Request& request, par::Call& call) const {
    const Task task(request);
    postgresql_plugin::cancel_query(task.inputs, task.login, call);
  }
  void test_connection(const par::Request& request, par::Call& call) const {
    postgresql_plugin::test_connection(Task(request).login, call);
  }

 private:
  bool strict_ = false;
};

}  // namespace
}  // namespace postgresql_plugin

PAR_PLUGIN(postgresql_plugin::PostgresqlPlugin, {"select", &postgresql_plugin::PostgresqlPlugin::select},
           {"insert", &postgresql_plugin::PostgresqlPlugin::insert},
           {"explain", &postgresql_plugin::PostgresqlPlugin::explain},
           {"explainAnalyze", &postgresql_plugin::PostgresqlPlugin::explain_analyze},
           {"cancelQuery", &postgresql_plugin::PostgresqlPlugin::cancel_query},
           {"testConnection", &postgresql_plugin::PostgresqlPlugin::test_connection});
