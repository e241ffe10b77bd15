#include "value.hpp"

#include <par/sdk/error.hpp>

#include "rows.hpp"
#include "tests/catch.hpp"
#include "time_text.hpp"

using namespace postgresql_plugin;

namespace {

std::string value(unsigned type, std::string_view text, bool strict = false) {
  std::string out;
  append_value(out, {"c", mapping_of(type, strict), strict}, text);
  return out;
}

template <typename Convert>
std::string converted(Convert convert, std::string_view text) {
  std::string out;
  return convert(out, text) ? out : "unfit" + out;
}

constexpr unsigned k_bool = 16;
constexpr unsigned k_bytea = 17;
constexpr unsigned k_int8 = 20;
constexpr unsigned k_text = 25;
constexpr unsigned k_json = 114;
constexpr unsigned k_float8 = 701;
constexpr unsigned k_date = 1082;
constexpr unsigned k_timestamptz = 1184;
constexpr unsigned k_numeric = 1700;

}  // namespace

TEST_CASE("values become JSON by their type") {
  CHECK(value(k_int8, "-9223372036854775808") == "-9223372036854775808");
  CHECK(value(k_float8, "1e+20") == "1e+20");
  CHECK(value(k_float8, "-0") == "-0");
  CHECK(value(k_float8, "NaN") == "\"NaN\"");
  CHECK(value(k_float8, "-Infinity") == "\"-Infinity\"");
  CHECK(value(k_bool, "t") == "true");
  CHECK(value(k_bool, "f") == "false");
  CHECK(value(k_text, "a\"\n") == "\"a\\\"\\n\"");
  CHECK(value(k_text, "\xE4") == "\"\xEF\xBF\xBD\"");
  CHECK(value(k_bytea, "\\x00017fff") == "\"AAF//w==\"");
  CHECK(value(k_bytea, "\\x") == "\"\"");
  CHECK(value(k_numeric, "12345678901234567890.5") == "\"12345678901234567890.5\"");
}

TEST_CASE("JSON is spliced in if a result can carry it, and is a string otherwise") {
  CHECK(value(k_json, R"({"b": 1, "a": [1.50, null]})") == R"({"b": 1, "a": [1.50, null]})");
  CHECK(value(k_json, "null") == "null");
  CHECK(value(k_json, "1e400") == "\"1e400\"");
  CHECK(value(k_json, R"("\ud800")") == R"("\"\\ud800\"")");
  CHECK(value(k_json, std::string(253, '[') + std::string(253, ']')).front() == '[');
  CHECK(value(k_json, std::string(254, '[') + std::string(254, ']')).front() == '"');
}

TEST_CASE("the strict mapping gives base64 for types that the stock runner does not know") {
  CHECK(value(k_numeric, "1.5", true) == "\"MS41\"");
  CHECK(value(k_json, "{}", true) == "\"e30=\"");
  CHECK(value(k_text, "t", true) == "\"t\"");
  CHECK(value(k_int8, "1", true) == "1");
  CHECK_THROWS_AS(value(k_float8, "NaN", true), par::Error);
  CHECK_THROWS_AS(value(k_date, "infinity", true), par::Error);
}

TEST_CASE("dates and times become RFC 3339") {
  CHECK(converted(append_date, "2026-01-02") == "2026-01-02T00:00:00Z");
  CHECK(converted(append_date, "0001-12-31 BC") == "0000-12-31T00:00:00Z");
  CHECK(converted(append_timestamp, "2026-01-02 03:04:05.678901") == "2026-01-02T03:04:05.678901Z");
  CHECK(converted(append_timestamp, "2026-01-02 03:04:05+00") == "2026-01-02T03:04:05Z");
  CHECK(converted(append_timestamp, "2026-01-02 03:04:05.5+05:30") == "2026-01-02T03:04:05.5+05:30");
  CHECK(converted(append_timestamp, "2026-01-02 03:04:05-03:30") == "2026-01-02T03:04:05-03:30");
  CHECK(converted(append_time, "03:04:05.678901") == "0000-01-01T03:04:05.678901Z");
  CHECK(converted(append_time, "03:04:05+02") == "0000-01-01T03:04:05+02:00");
  CHECK(converted(append_time, "24:00:00") == "0000-01-02T00:00:00Z");
}

TEST_CASE("an offset with seconds is rounded and the instant stays") {
  CHECK(converted(append_timestamp, "1900-01-01 00:19:32+00:19:32") == "1900-01-01T00:19:00+00:19");
  CHECK(converted(append_timestamp, "1879-12-31 23:59:10-00:01:15") == "1879-12-31T23:59:25-00:01");
  CHECK(converted(append_timestamp, "1880-01-01 00:00:10+00:00:30") == "1879-12-31T23:59:40Z");
}

TEST_CASE("what RFC 3339 cannot say stays as the server wrote it") {
  for (const char* const text : {"infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "294276-12-31"}) {
    CHECK(converted(append_date, text) == "unfit");
    CHECK(value(k_date, text) == "\"" + std::string(text) + "\"");
  }
  CHECK(value(k_timestamptz, "0044-03-15 12:00:00+00 BC") == "\"0044-03-15 12:00:00+00 BC\"");
  CHECK(value(k_timestamptz, "0001-01-01 00:00:10+00:00:30 BC") == "\"0001-01-01 00:00:10+00:00:30 BC\"");
}

TEST_CASE("rows end at the byte limit and at the row limit") {
  Rows rows(10, 3);
  CHECK(rows.add("[1]"));
  CHECK(rows.add("[22]"));       // 8 bytes with the comma
  CHECK_FALSE(rows.add("[3]"));  // 12 would be more than 10
  CHECK(rows.count() == 2);
  CHECK(rows.bytes() == 8);
  Rows few(1000, 1);
  CHECK(few.add("[1]"));
  CHECK_FALSE(few.add("[2]"));

  // Blocks do not change the text.
  Rows many(8u << 20, 1000);
  std::string expected;
  for (size_t at = 0; at < 5; ++at) {
    const std::string row = "[\"" + std::string(700000 + at, static_cast<char>('a' + at)) + "\"]";
    CHECK(many.add(row));
    expected += (at == 0 ? "" : ",") + row;
  }
  std::string joined;
  for (const par_str& part : many.parts()) joined.append(part.ptr, part.len);
  CHECK(joined == expected);
}
