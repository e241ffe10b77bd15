#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include "actions.hpp"
#include "parameters.hpp"
#include "refused_names.hpp"
#include "session.hpp"
#include "statement.hpp"

namespace postgresql_plugin {
namespace {

uint64_t inserted(const PGresult* result) {
  const char* const text = PQcmdTuples(const_cast<PGresult*>(result));
  uint64_t count = 0;
  std::from_chars(text, text + std::strlen(text), count);
  return count;
}

std::vector<Parameters> rows_of(const par::json::Value& inputs) {
  const auto& values = *par::json::find(inputs, "values");
  const size_t columns = par::json::find(inputs, "columns")->Size();
  std::vector<Parameters> rows;
  rows.reserve(values.Size());
  for (const par::json::Value& row : values.GetArray()) {
    const std::string where = "values[" + std::to_string(rows.size()) + "]";
    if (row.Size() != columns) {
      throw par::Error(where + " has " + std::to_string(row.Size()) + " entries; expected " +
                       std::to_string(columns) + ", one for each column");
    }
    rows.emplace_back(&row, where);
  }
  return rows;
}

}  // namespace

void insert(const par::json::Value& inputs, const Login& login, par::Call& call) {
  const std::string statement = insert_statement(inputs);
  refuse_forbidden_names(statement);
  const std::vector<Parameters> rows = rows_of(inputs);
  Session session(login, call);
  session.begin(Session::Access::as_the_role);
  session.prepare(statement);
  uint64_t count = 0;
  size_t done = 0;
  try {
    session.run_for_each(rows, [&](const PGresult* result) {
      count += inserted(result);
      ++done;
    });
  } catch (const par::Error& error) {
    throw par::Error(error.status(), "values[" + std::to_string(done) + "]: " + error.message() +
                                         (error.status() == PAR_ERROR ? "; no row was inserted" : ""));
  }
  try {
    session.commit();
  } catch (const par::Error& error) {
    if (error.status() == PAR_ERROR) throw par::Error(error.message() + "; no row was inserted");
    throw par::Error(error.status(), error.message() + "; whether the rows were inserted is unknown");
  }
  call.result("{\"commandTag\":\"INSERT 0 " + std::to_string(count) + "\"}");
}

}  // namespace postgresql_plugin
