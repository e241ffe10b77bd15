// What operators read about the configuration, held against what the code reads.
#include <fstream>
#include <set>
#include <sstream>

#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/config/config.hpp"
#include "core/config/options.hpp"
#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

std::string document(const std::string& name) {
  const auto text = read_file(std::filesystem::path(PAR_SOURCE_DIR) / "config" / name, 1 << 20);
  REQUIRE(text);
  return *text;
}

std::set<std::string> keys_of_code() {
  std::set<std::string> keys;
  for (const Option& option : options()) keys.emplace(option.key);
  return keys;
}

// The example with every option set to the default that it states.
std::string uncommented_example() {
  std::istringstream lines(document("config.example.yaml"));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const bool option = line.size() > 1 && line[0] == '#' && line[1] != ' ' && line[1] != '#';
    text += (option ? line.substr(1) : line) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("the example configuration states every option with its default") {
  const TestDirectory directory;
  directory.write("config.yaml", uncommented_example());
  const Environment environment = {{"DD_PRIVATE_RUNNER_CONFIG_DIR", directory.path().native()}};
  const auto stated = load_config(environment, "/p", false);
  INFO((stated ? std::string() : stated.error().message));
  REQUIRE(stated);
  CHECK(stated->warnings.empty());

  const Config defaults = *load_config({{"DD_PRIVATE_RUNNER_CONFIG_DIR", "/nowhere"}}, "/p", false);
  CHECK(stated->site == defaults.site);
  CHECK(stated->api_url.text() == defaults.api_url.text());
  CHECK(stated->remote_config_url.text() == defaults.remote_config_url.text());
  CHECK(stated->allow_insecure_urls == defaults.allow_insecure_urls);
  CHECK(stated->urn == defaults.urn);
  CHECK(stated->modes == defaults.modes);
  CHECK(stated->serves_push == defaults.serves_push);
  CHECK(stated->port == defaults.port);
  CHECK(stated->allow_imds_endpoint == defaults.allow_imds_endpoint);
  CHECK(stated->actions_allowlist == defaults.actions_allowlist);
  CHECK(stated->host_allowlist == defaults.host_allowlist);
  CHECK(stated->tags == defaults.tags);
  CHECK(stated->task_timeout == defaults.task_timeout);
  CHECK(stated->http_timeout == defaults.http_timeout);
  CHECK(stated->http_server_read_timeout == defaults.http_server_read_timeout);
  CHECK(stated->http_server_write_timeout == defaults.http_server_write_timeout);
  CHECK(stated->health_check_endpoint == defaults.health_check_endpoint);
  CHECK(stated->keys_directory == defaults.keys_directory);
  CHECK(stated->remote_config_root == defaults.remote_config_root);
  CHECK(stated->runner_pool_size == defaults.runner_pool_size);
  CHECK(stated->plugins_directories == defaults.plugins_directories);
  CHECK(stated->plugin_settings == defaults.plugin_settings);
  CHECK(stated->drain_timeout == defaults.drain_timeout);
  CHECK(stated->log_format == defaults.log_format);
  CHECK(stated->log_level == defaults.log_level);
  CHECK(stated->reported_version == defaults.reported_version);
  CHECK(stated->tuning.min_backoff == defaults.tuning.min_backoff);
  CHECK(stated->tuning.max_backoff == defaults.tuning.max_backoff);
  CHECK(stated->tuning.max_attempts == defaults.tuning.max_attempts);
  CHECK(stated->tuning.wait_before_retry == defaults.tuning.wait_before_retry);
  CHECK(stated->tuning.loop_interval == defaults.tuning.loop_interval);
  CHECK(stated->tuning.request_timeout == defaults.tuning.request_timeout);
  CHECK(stated->tuning.health_check_interval == defaults.tuning.health_check_interval);
  CHECK(stated->tuning.heartbeat_interval == defaults.tuning.heartbeat_interval);
  CHECK(stated->tuning.jwt_refresh_interval == defaults.tuning.jwt_refresh_interval);
}

TEST_CASE(
    "the example configuration has exactly the options that the code reads, and names their variables") {
  const std::string example = document("config.example.yaml");
  std::set<std::string> keys;
  std::istringstream lines(uncommented_example());
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '#') keys.insert(line.substr(0, line.find(':')));
  }
  CHECK(keys == keys_of_code());
  for (const Option& option : options()) {
    for (const std::string_view name : {option.variable, option.other_variable}) {
      CAPTURE(name);
      CHECK(example.find(name) != std::string::npos);
    }
  }
}

TEST_CASE("the schema for editors has exactly the options that the code reads") {
  const auto schema = parse_json(document("config.schema.json"));
  REQUIRE(schema);
  std::set<std::string> keys;
  for (const auto& member : (*schema)["properties"].GetObject()) keys.emplace(par::json::text(member.name));
  CHECK(keys == keys_of_code());
}

TEST_CASE("own options have the variable PAR_ and their key in upper snake case") {
  // Names that were fixed before, for a reason of their own, or that the rule below cannot make (a plural of
  // URL).
  const std::set<std::string> exceptions = {"urn",     "privateKey", "logLevel",         "allowlist",
                                            "plugins", "appBuilder", "allowInsecureURLs"};
  for (const Option& option : options()) {
    std::string expected = "PAR";
    bool upper_before = false;
    for (size_t at = 0; at < option.key.size(); ++at) {
      const char c = option.key[at];
      const bool upper = c >= 'A' && c <= 'Z';
      const bool lower_next =
          at + 1 < option.key.size() && option.key[at + 1] >= 'a' && option.key[at + 1] <= 'z';
      if (at == 0 || (upper && (!upper_before || lower_next))) expected += '_';
      expected += upper ? c : static_cast<char>(c - ('a' - 'A'));
      upper_before = upper;
    }
    if (!exceptions.contains(std::string(option.key))) CHECK(option.variable == expected);
  }
}

TEST_CASE("the schema's and the code's limits agree where a number is out of range") {
  const auto schema = parse_json(document("config.schema.json"));
  REQUIRE(schema);
  for (const Option& option : options()) {
    const par::json::Value& entry = (*schema)["properties"][std::string(option.key).c_str()];
    if (!entry.HasMember("minimum")) continue;
    CAPTURE(option.key);
    const auto accepts = [&](int64_t value) {
      Setting setting;
      setting.kind = Setting::Kind::scalar;
      setting.text = std::to_string(value);
      Config config;
      return option.apply(setting, config).has_value();
    };
    CHECK(accepts(entry["minimum"].GetInt64()));
    CHECK_FALSE(accepts(entry["minimum"].GetInt64() - 1));
    CHECK(accepts(entry["maximum"].GetInt64()));
    CHECK_FALSE(accepts(entry["maximum"].GetInt64() + 1));
  }
}
