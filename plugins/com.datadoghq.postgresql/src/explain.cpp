#include <string>

#include "actions.hpp"
#include "parameters.hpp"
#include "plugins/common/encoding.hpp"
#include "refused_names.hpp"
#include "session.hpp"
#include "statement.hpp"

namespace postgresql_plugin {

void explain(const par::json::Value& inputs, const Login& login, bool analyze, par::Call& call) {
  const std::string_view text = par::json::text(*par::json::find(inputs, "statement"));
  refuse_nul(text, "the statement");
  const std::string explained = number_placeholders(text);
  refuse_forbidden_names(explained);
  const Parameters parameters(par::json::find(inputs, "parameters"), "parameters");
  Session session(login, call);
  session.begin(Session::Access::read_only);
  // The option is said in both cases: the statement could bring its own otherwise.
  const Result result = session.run(
      "EXPLAIN (ANALYZE " + std::string(analyze ? "true" : "false") + ") " + explained, parameters);
  std::string output;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    if (row > 0) output += '\n';
    output += PQgetvalue(result.get(), row, 0);
  }
  session.rollback();
  std::string json = "{\"output\":";
  plugin_common::append_json_string(json, plugin_common::to_valid_utf8(std::move(output)));
  call.result({json, "}"});
}

}  // namespace postgresql_plugin
