#include "statement.hpp"

#include <par/sdk/error.hpp>

namespace postgresql_plugin {
namespace {

using par::json::Value;

std::string_view text_of(const Value& inputs, std::string_view name) {
  const Value* const member = par::json::find(inputs, name);
  return member != nullptr && member->IsString() ? par::json::text(*member) : std::string_view();
}

std::string joined_columns(const Value& inputs) {
  std::string joined;
  const Value* const columns = par::json::find(inputs, "columns");
  if (columns == nullptr || !columns->IsArray()) return joined;
  for (const Value& column : columns->GetArray()) {
    if (!joined.empty()) joined += ", ";
    joined += par::json::text(column);
  }
  return joined;
}

void append_clause(std::string& statement, std::string_view keyword, std::string_view text) {
  if (!text.empty()) statement.append(keyword).append(text);
}

}  // namespace

std::string select_statement(const Value& inputs) {
  std::string statement = "SELECT " + joined_columns(inputs);
  append_clause(statement, " FROM ", text_of(inputs, "table"));
  append_clause(statement, " ", text_of(inputs, "joinClause"));
  append_clause(statement, " WHERE ", text_of(inputs, "whereClause"));
  append_clause(statement, " ORDER BY ", text_of(inputs, "orderBy"));
  const Value* const limit = par::json::find(inputs, "limit");
  if (limit != nullptr && limit->IsUint64() && limit->GetUint64() > 0) {
    append_clause(statement, " LIMIT ", std::to_string(limit->GetUint64()));
  }
  refuse_nul(statement, "the statement");
  return number_placeholders(statement);
}

std::string insert_statement(const Value& inputs) {
  std::string placeholders;
  const size_t count = par::json::find(inputs, "columns")->Size();
  for (size_t number = 1; number <= count; ++number) {
    if (number > 1) placeholders += ", ";
    placeholders += "$" + std::to_string(number);
  }
  std::string statement = "INSERT INTO " + std::string(text_of(inputs, "table")) + " (" +
                          joined_columns(inputs) + ") VALUES (" + placeholders + ")";
  refuse_nul(statement, "the statement");
  return statement;
}

std::string number_placeholders(std::string_view statement) {
  std::string result;
  result.reserve(statement.size() + 16);
  size_t number = 0;
  for (size_t at = 0; at < statement.size(); ++at) {
    if (statement[at] != '?') {
      result += statement[at];
    } else if (at + 1 < statement.size() && statement[at + 1] == '?') {
      result += '?';
      ++at;
    } else {
      result += "$" + std::to_string(++number);
    }
  }
  return result;
}

void refuse_nul(std::string_view text, std::string_view what) {
  if (text.find('\0') != std::string_view::npos) {
    throw par::Error(std::string(what) +
                     " contains a NUL character (\\u0000), which PostgreSQL's texts cannot hold");
  }
}

}  // namespace postgresql_plugin
