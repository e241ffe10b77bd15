#include "core/plugin/manifest.hpp"

#include "core/plugin/schema.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

constexpr const char* k_manifest = R"({"manifest_version":1,"namespace":"com.example.x","version":"1.2",
  "services":["par.http/1"],"max_concurrency":4,"own_threads":true,"future_member":{},
  "config_schema":{"type":"object"},
  "connection":{"tokens":[{"name":"token","required":true,"description":"d"},{"name":"user","secret":false}]},
  "environment":["HOME"],"files":["/etc/x"],
  "actions":{
    "get":{"summary":"s","effect":"reads","input":{"type":"object"},"output":{"type":"object"},"rbac":{"verbs":["get"]}},
    "put":{"summary":"s","effect":"writes","input":{"type":"object"},"output":{"type":"object"}}}})";

/// The manifest with the first `from` replaced; the error that this gives.
std::string refusal(std::string_view from, std::string_view to) {
  std::string text = k_manifest;
  text.replace(text.find(from), from.size(), to);
  const auto manifest = Manifest::parse(text);
  return manifest ? "" : manifest.error().message;
}

}  // namespace

TEST_CASE("a manifest is read") {
  const auto manifest = Manifest::parse(k_manifest).value();
  CHECK(manifest.plugin_namespace == "com.example.x");
  CHECK(manifest.version == "1.2");
  CHECK(manifest.services == std::vector<std::string>{"par.http/1"});
  CHECK(manifest.max_concurrency == 4);
  CHECK(manifest.own_threads);
  CHECK(manifest.config_schema != nullptr);
  REQUIRE(manifest.tokens.size() == 2);
  CHECK((manifest.tokens[0].required && manifest.tokens[0].secret && manifest.tokens[0].description == "d"));
  CHECK((!manifest.tokens[1].required && !manifest.tokens[1].secret));
  CHECK(manifest.environment == std::vector<std::string>{"HOME"});
  CHECK(manifest.files == std::vector<std::string>{"/etc/x"});
  REQUIRE(manifest.find_action("get") != nullptr);
  CHECK_FALSE(manifest.find_action("get")->writes);
  CHECK(manifest.find_action("get")->extra_json == R"({"rbac":{"verbs":["get"]}})");
  CHECK(manifest.find_action("put")->writes);
  CHECK(manifest.find_action("put")->extra_json == "{}");
  CHECK(manifest.find_action("other") == nullptr);
  CHECK(manifest.find_action("get")->input ==
        manifest.find_action("put")->input);  // equal ones are kept once
  CHECK(manifest.text == k_manifest);
}

TEST_CASE("what is wrong with a manifest is named by its member") {
  CHECK(refusal("\"manifest_version\":1", "\"manifest_version\":2").find("manifest_version is 2") !=
        std::string::npos);
  CHECK(refusal("\"manifest_version\":1,", "").find("manifest_version") != std::string::npos);
  CHECK(refusal("com.example.x", "../x").find("namespace") != std::string::npos);
  CHECK(refusal("com.example.x", "").find("namespace") != std::string::npos);
  CHECK(refusal("\"1.2\"", "12") == "manifest: version must be a string that is not empty");
  CHECK(refusal("\"services\":", "\"x\":").find("services is missing") != std::string::npos);
  CHECK(refusal("[\"par.http/1\"]", "\"par.http/1\"") == "manifest: services must be a list of strings");
  CHECK(refusal("\"max_concurrency\":4", "\"max_concurrency\":-4").find("max_concurrency") !=
        std::string::npos);
  CHECK(refusal("\"own_threads\":true", "\"own_threads\":1") ==
        "manifest: own_threads must be true or false");
  CHECK(refusal("\"name\":\"token\",", "").find("connection.tokens[0].name") != std::string::npos);
  CHECK(refusal("\"reads\"", "\"looks\"") == R"(manifest: actions.get.effect must be "reads" or "writes")");
  CHECK(refusal("\"input\":{\"type\":\"object\"},", "") == "manifest: actions.get.input is missing");
  CHECK(refusal("\"input\":{\"type\":\"object\"}", "\"input\":{}")
            .find("actions.get.input must have the type") != std::string::npos);
  CHECK(
      refusal("\"input\":{\"type\":\"object\"}", R"("input":{"type":"object","additionalProperties":false})")
          .find("may not forbid") != std::string::npos);
  CHECK(refusal("\"output\":{\"type\":\"object\"}", R"("output":{"type":"object","format":"x"})") ==
        R"(manifest: actions.get.output: keyword "format" is not supported)");
  CHECK(refusal("\"put\":", "\"get\":").find("twice") != std::string::npos);
  CHECK(refusal("\"put\":", "\"a.b\":").find("action name") != std::string::npos);
  CHECK(refusal("\"put\":", "\"\":").find("action name") != std::string::npos);
  CHECK(Manifest::parse("").error().message.starts_with("manifest is not valid JSON"));
  CHECK(Manifest::parse("[]").error().message == "manifest is not a JSON object");
}
