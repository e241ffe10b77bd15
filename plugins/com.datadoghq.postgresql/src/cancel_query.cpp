#include <string>

#include "actions.hpp"
#include "parameters.hpp"
#include "session.hpp"
#include "statement.hpp"

namespace postgresql_plugin {
namespace {

// The three together name one query: a process that has gone on to its next query is left alone. Whoever
// noted the start may have kept milliseconds only.
constexpr const char* k_cancel =
    "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity "
    "WHERE pid = $1::pg_catalog.int4 AND datname = $2::pg_catalog.text AND state = 'active' AND pid <> "
    "pg_catalog.pg_backend_pid() "
    "AND pg_catalog.abs(extract(epoch FROM query_start - $3::pg_catalog.timestamptz)) < 0.001";

std::string text_of(const par::json::Value& inputs, std::string_view name) {
  const std::string_view text = par::json::text(*par::json::find(inputs, name));
  refuse_nul(text, name);
  return std::string(text);
}

}  // namespace

void cancel_query(const par::json::Value& inputs, const Login& login, par::Call& call) {
  const Parameters parameters({std::to_string(par::json::find(inputs, "pid")->GetInt64()),
                               text_of(inputs, "databaseName"), text_of(inputs, "queryStart")});
  Session session(login, call);
  session.begin(Session::Access::read_only);
  const Result result = session.run(k_cancel, parameters);
  const bool cancelled = PQntuples(result.get()) == 1 && *PQgetvalue(result.get(), 0, 0) == 't';
  session.rollback();
  call.result(cancelled ? R"({"cancelled":true})" : R"({"cancelled":false})");
}

}  // namespace postgresql_plugin
