#include "core/plugin/schema.hpp"

#include "tests/catch.hpp"

using namespace par::core;

namespace {

Schema compile(std::string_view text) {
  auto schema = Schema::compile(parse_json(text).value(), "input");
  if (!schema) FAIL(schema.error().message);
  return std::move(*schema);
}

std::string refusal(std::string_view text) {
  const auto schema = Schema::compile(parse_json(text).value(), "input");
  return schema ? "" : schema.error().message;
}

/// Empty if `value` fits.
std::string check(const Schema& schema, std::string_view value) {
  const auto valid = schema.validate(parse_json(value).value(), "inputs");
  return valid ? "" : valid.error().message;
}
std::string check(std::string_view schema, std::string_view value) {
  return check(compile(schema), value);
}

}  // namespace

TEST_CASE("a violation is named with its path, what was found and what was expected") {
  const auto schema = compile(R"({"type":"object","required":["url"],"properties":{
      "url":{"type":"string","minLength":1},
      "verb":{"enum":["GET","POST"]},
      "limit":{"type":"integer","minimum":0,"maximum":10},
      "headers":{"type":"array","maxItems":3,"items":{"type":"object","required":["key"],
          "properties":{"key":{"type":"string"},"odd name":{"type":"boolean"}}}}}})");
  CHECK(check(schema, R"({"url":"x"})") == "");
  CHECK(check(schema, R"([])") == "inputs is an array, expected an object");
  CHECK(check(schema, R"({})") == "inputs.url is missing, expected a string");
  CHECK(check(schema, R"({"url":""})") == "inputs.url is an empty string, expected at least 1 characters");
  CHECK(check(schema, R"({"url":null})") == "inputs.url is null, expected a string");
  CHECK(check(schema, R"({"url":"x","verb":"GETT"})") ==
        R"(inputs.verb is "GETT", expected one of "GET", "POST")");
  CHECK(check(schema, R"({"url":"x","limit":1.5})") == "inputs.limit is the number 1.5, expected an integer");
  CHECK(check(schema, R"({"url":"x","limit":-3})") == "inputs.limit is -3, expected at least 0");
  CHECK(check(schema, R"({"url":"x","limit":11})") == "inputs.limit is 11, expected at most 10");
  CHECK(check(schema, R"({"url":"x","headers":[{"key":"a"},{"key":"b"},{"key":7}]})") ==
        "inputs.headers[2].key is the number 7, expected a string");
  CHECK(check(schema, R"({"url":"x","headers":[{"key":"a","odd name":"secret"}]})") ==
        R"(inputs.headers[0]["odd name"] is a string, expected true or false)");
  CHECK(check(schema, R"({"url":"x","headers":[1,2,3,4]})") ==
        "inputs.headers is an array of 4 elements, expected at most 3 elements");
}

TEST_CASE("whole doubles count as integers if they fit 64 bits") {
  CHECK(check(R"({"type":"integer"})", "3.0") == "");
  CHECK(check(R"({"type":"integer"})", "1e3") == "");
  CHECK(check(R"({"type":"integer"})", "18446744073709551615") == "");
  CHECK(check(R"({"type":"integer"})", "1e30") != "");
  CHECK(check(R"({"type":"number"})", "3") == "");
  CHECK(check(R"({"enum":[1,2]})", "1.0") == "");
  CHECK(check(R"({"enum":[1,2]})", "3") == "inputs is 3, expected one of 1, 2");
}

TEST_CASE("each keyword constrains") {
  struct Row {
    const char* schema;
    const char* fits;
    const char* not_fits;
  };
  const Row rows[] = {
      {R"({"type":["string","null"]})", "null", "1"},
      {R"({"minimum":1,"exclusiveMinimum":true})", "1.1", "1"},
      {R"({"maximum":1,"exclusiveMaximum":true})", "0.9", "1"},
      {R"({"minLength":2})", R"("ää")", R"("ä")"},
      {R"({"maxLength":2})", R"("ää")", R"("äää")"},
      {R"({"minItems":1})", "[1]", "[]"},
      {R"({"minProperties":1})", R"({"a":1})", "{}"},
      {R"({"maxProperties":1})", R"({"a":1})", R"({"a":1,"b":2})"},
      {R"({"additionalProperties":{"type":"string"}})", R"({"a":"b"})", R"({"a":1})"},
      {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})", R"({"b":1})"},
      {R"({"allOf":[{"type":"integer"},{"minimum":2}]})", "2", "1"},
      {R"({"anyOf":[{"type":"integer"},{"type":"string"}]})", R"("x")", "true"},
      {R"({"oneOf":[{"minimum":2},{"maximum":5}]})", "1", "3"},
      {R"({"not":{"type":"string"}})", "1", R"("x")"},
      {R"({"pattern":"^[0-9]{3}(-[0-9]{3})?$"})", R"("500-599")", R"("5xx")"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.schema);
    CHECK(check(row.schema, row.fits) == "");
    CHECK(check(row.schema, row.not_fits) != "");
  }
}

TEST_CASE("of several alternatives the likely one is reported") {
  CHECK(check(R"({"anyOf":[{"type":"integer"},{"type":"string"}]})", "true") ==
        "inputs is true, expected an integer or a string");
  CHECK(check(R"({"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"string"}}}]})",
              R"({"a":1})") == "inputs.a is the number 1, expected a string");
}

TEST_CASE("a misspelt member is recognised where no others are allowed") {
  CHECK(check(R"({"properties":{"pageSize":{}},"additionalProperties":false})", R"({"pagesize":1})") ==
        "inputs.pagesize is not known, expected perhaps pageSize");
}

TEST_CASE("a keyword that is not supported is refused, wherever it stands") {
  CHECK(refusal(R"({"properties":{"a":{"items":{"format":"date"}}}})") ==
        R"(input.properties.a.items: keyword "format" is not supported)");
  for (const char* text :
       {R"({"$ref":"#"})", R"({"const":1})", R"({"if":{}})", R"({"patternProperties":{}})",
        R"({"anyOf":[{"x":1}]})", R"({"exclusiveMinimum":1,"minimum":0})", R"({"exclusiveMinimum":true})",
        R"({"type":"text"})", R"({"type":[]})", R"({"items":[{}]})", R"({"items":true})", R"({"enum":[]})",
        R"({"enum":[{}]})", R"({"required":true})", R"({"minLength":-1})",
        R"({"$schema":"http://json-schema.org/draft-07/schema#"})", "[]",
        R"({"properties":{"a":{},"a":{}}})"}) {
    CAPTURE(text);
    CHECK(refusal(text) != "");
  }
}

TEST_CASE("patterns that dialects read differently are refused") {
  for (const char* pattern : {"\\d+",  "(?i)a",  "(?=a)",       "a+?", "a**",
                              "[\\]]", "[]",     "[[:alpha:]]", "(",   ")",
                              "a{",    "a{3,2}", "a{1001}",     "*a",  "((a{100}){100}){100}",
                              "ä",     "a\\",    "(a)\\1",      "|*",  "}",
                              "[a",    "[z-a]"}) {
    CAPTURE(pattern);
    CHECK_FALSE(Pattern::compile(pattern));
  }
  for (const char* pattern :
       {"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", "a|b|", "^\\.\\-\\/$", "(a|b)*c", "a{2,}"}) {
    CAPTURE(pattern);
    CHECK(Pattern::compile(pattern));
  }
}

TEST_CASE("a pattern sees the whole text, NUL bytes and megabytes included") {
  const auto pattern = Pattern::compile("^(a|b)*$").value();
  CHECK(pattern.matches(""));
  CHECK(pattern.matches(std::string(2'000'000, 'a')));
  CHECK_FALSE(pattern.matches(std::string(2'000'000, 'a') + "c"));
  CHECK_FALSE(pattern.matches(std::string_view("a\0b", 3)));
}

TEST_CASE("a schema as deep as parsing allows does no harm") {
  std::string schema;
  std::string value;
  for (int i = 0; i < 250; ++i) {
    schema += R"({"items":)";
    value += "[";
  }
  schema += R"({"type":"string"})" + std::string(250, '}');
  value += "1" + std::string(250, ']');
  CHECK(check(schema, value).find("is the number 1, expected a string") != std::string::npos);
}
