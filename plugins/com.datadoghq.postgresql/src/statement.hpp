#pragma once

#include <string>
#include <string_view>

#include <par/json.hpp>

namespace postgresql_plugin {

/// Texts of the statements that the actions run. The pieces come from the workflow and are trusted SQL:
/// nothing is quoted. What they may do is bounded by the extended protocol (one statement), the transaction
/// and the refused names.

/// SELECT from the inputs columns, table, joinClause, whereClause, orderBy and limit (0: none), with numbered
/// placeholders.
std::string select_statement(const par::json::Value& inputs);

/// INSERT of one row, from the inputs table and columns: one placeholder per column.
std::string insert_statement(const par::json::Value& inputs);

/// Each ? becomes $1, $2 and so on, wherever it stands, also in literals; ?? becomes a plain ?.
std::string number_placeholders(std::string_view statement);

/// Throws par::Error if `text` holds a NUL, which no text of PostgreSQL can. `what` names it.
void refuse_nul(std::string_view text, std::string_view what);

}  // namespace postgresql_plugin
