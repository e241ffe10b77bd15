#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actions.hpp"
#include "parameters.hpp"
#include "plugins/common/encoding.hpp"
#include "refused_names.hpp"
#include "rows.hpp"
#include "session.hpp"
#include "statement.hpp"
#include "value.hpp"

namespace postgresql_plugin {
namespace {

constexpr uint64_t k_max_rows = 655360;

std::string text_member(std::string_view name, std::string_view text) {
  std::string member = "\"" + std::string(name) + "\":";
  plugin_common::append_json_string(member, text);
  return member;
}

std::vector<Column> columns_of(const PGresult* result, bool strict) {
  std::vector<Column> columns;
  const int count = PQnfields(result);
  columns.reserve(static_cast<size_t>(count));
  for (int at = 0; at < count; ++at) {
    columns.push_back(
        {plugin_common::to_valid_utf8(PQfname(result, at)), mapping_of(PQftype(result, at), strict), strict});
  }
  return columns;
}

std::string names_json(const std::vector<Column>& columns) {
  std::string list = "[";
  for (const Column& column : columns) {
    if (list.size() > 1) list += ',';
    plugin_common::append_json_string(list, column.name);
  }
  return list + "]";
}

void write_row(std::string& out, const PGresult* row, const std::vector<Column>& columns) {
  out = "[";
  for (size_t at = 0; at < columns.size(); ++at) {
    const int index = static_cast<int>(at);
    if (at > 0) out += ',';
    if (PQgetisnull(row, 0, index) != 0) {
      out += "null";
    } else {
      append_value(out, columns[at],
                   {PQgetvalue(row, 0, index), static_cast<size_t>(PQgetlength(row, 0, index))});
    }
  }
  out += ']';
}

}  // namespace

void select(const par::json::Value& inputs, const Login& login, bool strict, par::Call& call) {
  const std::string statement = select_statement(inputs);
  refuse_forbidden_names(statement);
  const Parameters parameters(par::json::find(inputs, "parameters"), "parameters");
  Session session(login, call);
  session.begin(Session::Access::read_only);

  const std::string query = "{" + text_member("query", statement) + ",\"truncatedResults\":";
  const std::string_view tail = "]}";
  std::vector<Column> columns;
  std::string names;
  const auto describe = [&](const PGresult* result) {
    columns = columns_of(result, strict);
    names = ",\"columns\":" + names_json(columns) + ",\"results\":[";
  };
  Rows rows(0, 0);
  std::string line;
  const bool complete = session.stream(
      statement, parameters, 2 * call.max_result_bytes(),
      [&](const PGresult* result) {
        describe(result);
        const uint64_t around = query.size() + std::string_view("false").size() + names.size() + tail.size();
        rows = Rows(call.max_result_bytes() - std::min(call.max_result_bytes(), around), k_max_rows);
      },
      [&](const PGresult* row) {
        write_row(line, row, columns);
        return rows.add(line);
      });
  if (complete) {
    session.rollback();
  } else {
    call.log(par::LogLevel::info, "the result was cut off after " + std::to_string(rows.count()) + " rows, " +
                                      std::to_string(rows.bytes()) + " bytes");
    // libpq tells the columns with the first row, which was not read to its end if it can never fit.
    if (columns.empty()) describe(Session(login, call).describe(statement).get());
  }
  std::vector<par_str> parts = rows.parts();
  const std::string head = query + (complete ? "false" : "true") + names;
  // The stock runner says null where no row came.
  const bool null_rows = strict && rows.count() == 0;
  const std::string before = null_rows ? head.substr(0, head.size() - 1) + "null" : head;
  parts.insert(parts.begin(), par::to_str(before));
  parts.push_back(par::to_str(null_rows ? tail.substr(1) : tail));
  call.result(parts.data(), parts.size());
}

}  // namespace postgresql_plugin
