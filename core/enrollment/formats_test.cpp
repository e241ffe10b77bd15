#include "core/enrollment/formats.hpp"

#include "core/base/strings.hpp"
#include "core/config/config.hpp"
#include "core/config/test_directory.hpp"
#include "core/config/yaml.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

using Texts = std::vector<std::string>;

Config load(const std::string& text) {
  const TestDirectory directory;
  directory.write("config.yaml", text);
  const auto config = load_config({{"DD_PRIVATE_RUNNER_CONFIG_DIR", directory.path().native()}}, "/p", false);
  INFO((config ? std::string() : config.error().message) << "\n" << text);
  REQUIRE(config);
  CHECK(config->warnings.empty());
  return *config;
}

Config enrolled(const std::string& before = "ddBaseURL: https://app.datadoghq.eu\n") {
  Config config = load(before);
  config.urn = "urn:dd:apps:on-prem-runner:eu1:4242:runner-1";
  config.private_key = Secret("a2V5");
  if (config.actions_allowlist.empty()) config.actions_allowlist = {"com.datadoghq.http.request"};
  return config;
}

std::string completed(const std::string& existing, const Config& config) {
  const auto text = complete_config_file(existing, config);
  INFO((text ? std::string() : text.error().message));
  REQUIRE(text);
  return std::string(text->reveal());
}

}  // namespace

TEST_CASE("the config format is a config.yaml that says the same") {
  Config config = enrolled(
      "ddBaseURL: https://app.datadoghq.eu\nmodes: [pull, push]\nport: 9100\nallowIMDSEndpoint: true\n"
      "tags: ['team:x', 'yes', '1e3', 'a: b', 'say \"hi\"']\ntaskTimeoutSeconds: 90\nhttpTimeoutSeconds: "
      "2.5\n");
  const Config read = load(std::string(render(config, EnrollmentFormat::config).reveal()));
  CHECK(read.urn == config.urn);
  CHECK(read.private_key.reveal() == config.private_key.reveal());
  CHECK(read.base_url == config.base_url);
  CHECK(read.site == "datadoghq.eu");
  CHECK(read.modes == config.modes);
  CHECK(read.serves_push);
  CHECK(read.port == 9100);
  CHECK(read.allow_imds_endpoint);
  CHECK(read.actions_allowlist == config.actions_allowlist);
  CHECK(read.tags == Texts{"team:x", "yes", "1e3", "a: b", "say \"hi\""});
  CHECK(read.task_timeout == Milliseconds(90'000));
  CHECK(read.http_timeout == Milliseconds(2'500));
}

TEST_CASE("the env format has one variable a line and nothing else") {
  Config config = enrolled();
  config.actions_allowlist = {"a.b", "c.d"};
  CHECK(render(config, EnrollmentFormat::env).reveal() ==
        "RUNNER_URN=urn:dd:apps:on-prem-runner:eu1:4242:runner-1\nRUNNER_PRIVATE_KEY=a2V5\n"
        "DD_BASE_URL=https://app.datadoghq.eu\nRUNNER_MODES=pull\nACTIONS_ALLOWLIST=a.b,c.d\n");
}

TEST_CASE("formats are known by their names") {
  CHECK(enrollment_format("helm-values") == EnrollmentFormat::helm_values);
  CHECK(enrollment_format("config") == EnrollmentFormat::config);
  CHECK(enrollment_format("env") == EnrollmentFormat::env);
  CHECK_FALSE(enrollment_format("yaml"));
}

TEST_CASE("a config.yaml without identity keeps all that it says and gets the rest") {
  const std::string existing =
      "# ours\nddBaseURL: https://us3.datadoghq.com\nurn:\nprivateKey: \"\"\nport: 9100  # probes\n"
      "actionsAllowlist:\n  - com.datadoghq.jenkins.*\ntags: [a:b]";
  const std::string text = completed(existing, enrolled(existing));
  CHECK(text.starts_with("# ours\nddBaseURL: https://us3.datadoghq.com\nport: 9100  # probes\n"));
  const Config read = load(text);
  CHECK(read.urn == "urn:dd:apps:on-prem-runner:eu1:4242:runner-1");
  CHECK(read.private_key.reveal() == "a2V5");
  CHECK(read.base_url == "https://us3.datadoghq.com");
  CHECK(read.port == 9100);
  CHECK(read.actions_allowlist == Texts{"com.datadoghq.jenkins.*"});
  CHECK(read.tags == Texts{"a:b"});
}

TEST_CASE("an empty allowlist in the file is filled from the enrollment") {
  const std::string text = completed("actionsAllowlist:\n", enrolled());
  CHECK(load(text).actions_allowlist == Texts{"com.datadoghq.http.request"});
  // An explicit empty list is the operator's word.
  CHECK(load(completed("actionsAllowlist: []\n", enrolled())).actions_allowlist.empty());
}

TEST_CASE("nothing or only blanks becomes a whole file") {
  CHECK(load(completed("\n \n", enrolled())).urn == enrolled().urn);
  CHECK(load(completed("# only a comment\n", enrolled())).urn == enrolled().urn);
}

TEST_CASE("whatever the file ends with, the rest is added and the end keeps its meaning") {
  // The expected tail is what the last key of the file says, as JSON.
  const struct {
    const char* ending;
    const char* says;
  } rows[] = {{"tags: [a]", R"(["a"])"},
              {"tags:\n- a\n- b", R"(["a","b"])"},
              {"tags:\n  - >\n    a\n    b\n\n", R"(["a b\n"])"},
              {"keysDirectory: |\n  a\n\n\n", R"("a\n")"},
              {"keysDirectory: |+\n  a\n\n", R"("a\n\n")"},
              {"keysDirectory: 'a'   # why", R"("a")"},
              {"keysDirectory: a\r\n", R"("a")"},
              {"keysDirectory:", "null"},
              {"plugins: {a: {b: 1,\n  c: 2}}\n#", R"({"a":{"b":1,"c":2}})"}};
  for (const auto& row : rows) {
    const std::string existing = std::string("port: 1\nurn: \n") + row.ending;
    CAPTURE(existing);
    const std::string text = completed(existing, enrolled());
    const auto read = read_yaml(text, "config.yaml");
    REQUIRE(read);
    REQUIRE(read->find("urn") != nullptr);
    CHECK(read->find("urn")->text == enrolled().urn);
    const std::string key(row.ending, std::string_view(row.ending).find(':'));
    REQUIRE(read->find(key) != nullptr);
    CHECK(json_of(*read->find(key)) == row.says);
  }
}

TEST_CASE("a file that nothing can be added to is refused with what to do") {
  for (const char* existing :
       {R"({"port": 1})", "\"urn\": \nport: 1\n", "port: 1\n...", "urn: >-\n\n\n  # kept\nport: 1\n",
        "urn:\n  ''\nport: 1\n", "- a\n", "port: 'a\n", "port: |+\n  1"}) {
    CAPTURE(existing);
    const auto text = complete_config_file(existing, enrolled());
    REQUIRE_FALSE(text);
    CHECK(text.error().message.find("config.yaml") != std::string::npos);
    CHECK(text.error().message.find("a2V5") == std::string::npos);
  }
}
