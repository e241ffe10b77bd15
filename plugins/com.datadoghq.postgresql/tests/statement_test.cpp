#include "statement.hpp"

#include <par/sdk/error.hpp>

#include "parameters.hpp"
#include "refused_names.hpp"
#include "tests/catch.hpp"

using namespace postgresql_plugin;

namespace {

par::json::Document json(std::string_view text) {
  par::json::Document document;
  std::string error;
  REQUIRE(par::json::parse(text, document, error));
  return document;
}

std::string select_of(std::string_view inputs) {
  return select_statement(json(inputs));
}

std::vector<std::string> texts_of(std::string_view list) {
  const par::json::Document values = json(list);
  const Parameters parameters(&values, "parameters");
  std::vector<std::string> texts;
  for (const char* const text : parameters.pointers()) texts.emplace_back(text == nullptr ? "<NULL>" : text);
  return texts;
}

template <typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const par::Error& error) {
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("a SELECT is put together from its clauses") {
  CHECK(select_of(R"({"columns":["id"],"table":"users"})") == "SELECT id FROM users");
  CHECK(
      select_of(
          R"({"columns":["u.id","t.name AS team"],"table":"users u","joinClause":"JOIN teams t ON t.id = u.team",
      "whereClause":"u.id > ? AND t.name = ?","orderBy":"u.id DESC","limit":2})") ==
      "SELECT u.id, t.name AS team FROM users u JOIN teams t ON t.id = u.team "
      "WHERE u.id > $1 AND t.name = $2 ORDER BY u.id DESC LIMIT 2");
  CHECK(
      select_of(R"({"columns":["1"],"table":"t","joinClause":"","whereClause":"","orderBy":"","limit":0})") ==
      "SELECT 1 FROM t");
}

TEST_CASE("placeholders are numbered through the whole text, and a doubled one is a question mark") {
  CHECK(number_placeholders("a = ? AND b = '?' AND c = ?") == "a = $1 AND b = '$2' AND c = $3");
  CHECK(number_placeholders("data ?? 'key' AND id = ?") == "data ? 'key' AND id = $1");
  CHECK(number_placeholders("a = $1 AND ???") == "a = $1 AND ?$1");
  CHECK(select_of(R"({"columns":["?::int"],"table":"t","whereClause":"x = ?"})") ==
        "SELECT $1::int FROM t WHERE x = $2");
}

TEST_CASE("an INSERT has one placeholder for each column and leaves question marks alone") {
  CHECK(insert_statement(json(R"({"table":"shop.orders","columns":["id","\"a?\""],"values":[]})")) ==
        "INSERT INTO shop.orders (id, \"a?\") VALUES ($1, $2)");
}

TEST_CASE("a NUL is refused where it would cut a text short") {
  CHECK(message_of([] { select_of(R"({"columns":["1"],"table":"t\u0000; x"})"); }).find("NUL") !=
        std::string::npos);
  CHECK(message_of([] { texts_of(R"(["ok","a\u0000b"])"); }) ==
        "parameters[1] contains a NUL character (\\u0000), which PostgreSQL's texts cannot hold");
}

TEST_CASE("parameters become the shortest texts without exponents") {
  CHECK(
      texts_of(
          R"([1, 1.0, -0.5, 0.1, 1e21, 1e-7, 9007199254740993, -9223372036854775808, 18446744073709551615])") ==
      std::vector<std::string>{"1", "1", "-0.5", "0.1", "1000000000000000000000", "0.0000001",
                               "9007199254740993", "-9223372036854775808", "18446744073709551615"});
  CHECK(texts_of(R"([true, false, null, "", "it's"])") ==
        std::vector<std::string>{"true", "false", "<NULL>", "", "it's"});
  CHECK(texts_of("[5e-324]")[0].size() == 326);
  CHECK(texts_of("[1.7976931348623157e308]")[0].size() == 309);
  CHECK(message_of([] { texts_of(R"([1, [2]])"); }).substr(0, 23) == "parameters[1] is a list");
  CHECK(message_of([] { texts_of(R"([{}])"); }).substr(0, 26) == "parameters[0] is an object");
}

TEST_CASE("refused names are found in any case and inside longer names") {
  for (const char* const statement :
       {"SELECT pg_read_file('/etc/passwd') FROM t", "SELECT PG_Sleep(1), Set_Config('a','b',true) FROM t",
        "SELECT xmin_total FROM t", "SELECT 1 FROM pg_stat_activity", "SELECT 'current_database' FROM t",
        "SELECT \"pg_terminate_backend\"(1) FROM t"}) {
    CAPTURE(statement);
    CHECK_THROWS_AS(refuse_forbidden_names(statement), par::Error);
  }
  for (const std::string name :
       {"query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "cursor_to_xml", "table_to_xml",
        "schema_to_xml", "database_to_xml", "ts_stat", "dblink", "dblink_exec", "lo_export", "lo_import",
        "Query_To_XML"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(refuse_forbidden_names("SELECT " + name + "('SELECT 1') FROM t"), par::Error);
    CHECK_THROWS_AS(refuse_forbidden_names("SELECT pg_catalog.\"" + name + "\"(1) FROM t"), par::Error);
    CHECK_NOTHROW(refuse_forbidden_names("SELECT my_" + name + " FROM t"));
  }
  CHECK_NOTHROW(refuse_forbidden_names("SELECT payments_status, ts_status, lo_exported FROM t"));
  CHECK_THROWS_AS(refuse_forbidden_names("SELECT payments_status FROM ts_stat('x')"), par::Error);
  CHECK(message_of([] { refuse_forbidden_names("SELECT xmin_total FROM t"); }).find("\"xmin\"") !=
        std::string::npos);
  CHECK(message_of([] { refuse_forbidden_names("SELECT U&\"pg_read\\005Ffile\"('x') FROM t"); }).find("U&") !=
        std::string::npos);
  CHECK(message_of([] {
          refuse_forbidden_names("SELECT count(*), pg_sleep(0) FROM orders WHERE a = 'b'");
        }).empty());
}
