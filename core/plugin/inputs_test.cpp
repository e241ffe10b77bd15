#include "core/plugin/inputs.hpp"

#include "core/plugin/manifest.hpp"
#include "core/plugin/schema.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

const Schema& schema() {
  static const Schema compiled = Schema::compile(parse_json(R"({"type":"object","properties":{
      "name":{"type":"string"},
      "limit":{"type":"integer"},
      "ratio":{"type":"number"},
      "note":{"type":["string","null"]},
      "body":{},
      "labels":{"type":"object"},
      "ports":{"type":"array","items":{"type":"integer"}},
      "pairs":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"n":{"type":"integer"}}}}
    }})")
                                                     .value(),
                                                 "input")
                                     .value();
  return compiled;
}

std::string prepared(std::string_view text) {
  const auto inputs = prepare_inputs(std::string(text), schema());
  return inputs ? inputs->json : "error: " + inputs.error().message;
}

}  // namespace

TEST_CASE("null members are dropped unless null is allowed") {
  CHECK(prepared(R"({"name":null,"limit":3,"note":null})") == R"({"limit":3,"note":null})");
  CHECK(prepared(R"({"pairs":[{"key":null,"n":1}]})") == R"({"pairs":[{"n":1}]})");
}

TEST_CASE("keys that differ only in case are renamed unless the exact one is there") {
  CHECK(prepared(R"({"NAME":"a","Limit":1})") == R"({"name":"a","limit":1})");
  CHECK(prepared(R"({"NAME":5,"name":"a"})") == R"({"NAME":5,"name":"a"})");
  CHECK(prepared(R"({"Pairs":[{"KEY":"a"}]})") == R"({"pairs":[{"key":"a"}]})");
}

TEST_CASE("whole doubles become integers where integers are expected") {
  CHECK(prepared(R"({"limit":3.0,"ports":[80.0,443]})") == R"({"limit":3,"ports":[80,443]})");
  CHECK(prepared(R"({"pairs":[{"n":1e3}]})") == R"({"pairs":[{"n":1000}]})");
  CHECK(prepared(R"({"limit":3.5})") == "error: inputs.limit is the number 3.5, expected an integer");
}

TEST_CASE("what the schema does not know stays as it is") {
  for (const char* text :
       {R"({"other":null,"deep":{"NAME":null,"x":1.0}})", R"({"body":{"Name":null,"limit":1.0}})",
        R"({"labels":{"a":null,"b":2.0}})", R"( { "ratio" : 1.0 } )", R"({"body":1.0})"}) {
    CAPTURE(text);
    CHECK(prepared(text) == text);
  }
}

TEST_CASE("untouched subtrees survive a rewrite of their neighbours") {
  CHECK(prepared(R"({"name":null,"body":{"Name":null,"big":9007199254740993,"s":"ü\n"}})") ==
        R"({"body":{"Name":null,"big":9007199254740993,"s":"ü\n"}})");
}

TEST_CASE("inputs that are not one JSON object are refused") {
  CHECK(prepared("[]") == "error: inputs are not a JSON object");
  CHECK(prepared("").starts_with("error: inputs: "));
  CHECK(prepared(R"({"a":)").starts_with("error: inputs: "));
}

TEST_CASE("timeout is read from the inputs as they came") {
  const auto limit = [](std::string text) {
    return prepare_inputs(std::move(text), schema()).value().time_limit;
  };
  CHECK(limit(R"({"timeout":5})") == std::chrono::seconds(5));
  CHECK(limit(R"({"timeout":5.0})") == std::chrono::seconds(5));
  CHECK(limit(R"({"timeout":2147483647})") == std::chrono::seconds(2147483647));
  for (const char* text :
       {"{}", R"({"timeout":0})", R"({"timeout":-1})", R"({"timeout":1.5})", R"({"timeout":"5"})",
        R"({"timeout":null})", R"({"timeout":2147483648})", R"({"Timeout":5})"}) {
    CAPTURE(text);
    CHECK_FALSE(limit(text));
  }
}

TEST_CASE("settings of a plugin are checked against its config_schema") {
  auto manifest = Manifest::parse(R"({"manifest_version":1,"namespace":"a.b","version":"1","services":[],
      "config_schema":{"type":"object","properties":{"pageSize":{"type":"integer"}},"additionalProperties":false},
      "actions":{"x":{"summary":"s","effect":"reads","input":{"type":"object"},"output":{"type":"object"}}}})")
                      .value();
  CHECK(check_settings(manifest, ""));
  CHECK(check_settings(manifest, R"({"pageSize":3})"));
  CHECK(check_settings(manifest, R"({"pageSize":"3"})").error().message ==
        "plugins.a.b.pageSize is a string, expected an integer");
  CHECK(check_settings(manifest, "[]").error().message == "plugins.a.b is not an object");
  manifest.config_schema = nullptr;
  CHECK(check_settings(manifest, "{}"));
  CHECK(check_settings(manifest, R"({"a":1})").error().message ==
        "plugins.a.b has settings, but this plugin takes none; remove them");
}
