#include "core/config/config.hpp"

#include <algorithm>

#include "core/config/test_directory.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path k_plugins = "/opt/par/plugins";

// Loads `yaml` (none: no file) under `environment`.
Result<Config> load(const std::optional<std::string>& yaml, Environment environment = {}) {
  const TestDirectory directory;
  if (yaml) directory.write("config.yaml", *yaml);
  environment.emplace("DD_PRIVATE_RUNNER_CONFIG_DIR", directory.path().native());
  return load_config(environment, k_plugins, false);
}

Config good(const std::optional<std::string>& yaml, Environment environment = {}) {
  auto config = load(yaml, std::move(environment));
  INFO((config ? std::string() : config.error().message));
  REQUIRE(config);
  return std::move(*config);
}

std::string error_of(const std::optional<std::string>& yaml, Environment environment = {}) {
  const auto config = load(yaml, std::move(environment));
  REQUIRE_FALSE(config);
  return config.error().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool warns(const Config& config, const std::string& part) {
  return std::any_of(config.warnings.begin(), config.warnings.end(),
                     [&](const std::string& warning) { return has(warning, part); });
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("without a file and without variables everything has its default") {
  const Config config = good(std::nullopt);
  CHECK_FALSE(config.has_file);
  CHECK(config.site == "datadoghq.com");
  CHECK(config.region == "us1");
  CHECK(config.api_url.origin() == "https://api.datadoghq.com");
  CHECK(config.remote_config_url.origin() == "https://config.datadoghq.com");
  CHECK(config.modes == Texts{"pull"});
  CHECK(config.port == 9016);
  CHECK(config.actions_allowlist.empty());
  CHECK_FALSE(config.host_allowlist);
  CHECK_FALSE(config.task_timeout);
  CHECK(config.http_timeout == 30'000ms);
  CHECK(config.runner_pool_size == 10);
  CHECK(config.drain_timeout == 25'000ms);
  CHECK(config.plugins_directories == std::vector<std::filesystem::path>{k_plugins});
  CHECK(config.log_format == LogFormat::json);
  CHECK(config.reported_version == "1.21.0");
  CHECK(config.tuning.max_attempts == 20);
  CHECK(config.warnings.empty());
  CHECK(load_config({}, k_plugins, true)->log_format == LogFormat::text);
  CHECK(load_config({}, k_plugins, true)->directory == "/etc/dd-action-runner/config");
}

TEST_CASE("what the chart renders with default values is read") {
  const Config config = good(
      "ddBaseURL: https://app.datadoghq.com\n"
      "urn: CHANGE_ME_URN_FROM_CONFIG\n"
      "privateKey: CHANGE_ME_PRIVATE_KEY_FROM_CONFIG\n"
      "modes:\n  - workflowAutomation\n  - appBuilder\n"
      "port: 9016\n"
      "tags: []\n"
      "actionsAllowlist:\n  - com.datadoghq.kubernetes.core.getPod\n  - "
      "com.datadoghq.kubernetes.core.listPod\n"
      "httpTimeoutSeconds: 30\n");
  CHECK(config.has_file);
  CHECK(config.modes == Texts{"pull"});
  CHECK(config.serves_push);
  CHECK(config.actions_allowlist.size() == 2);
  CHECK(config.warnings.empty());
  const auto identity = check_identity(config);
  REQUIRE_FALSE(identity);
  CHECK(has(identity.error().message, "placeholder"));
  CHECK(has(identity.error().message, "runnerIdentitySecret"));
}

TEST_CASE("what the chart renders with everything set is read") {
  const Config config = good(
      "ddBaseURL: https://app.datadoghq.eu\n"
      "urn: urn:dd:apps:on-prem-runner:eu1:4242:runner-made-up\n"
      "privateKey: bWFkZS11cA\n"
      "modes:\n  - pull\n"
      "port: 9100\n"
      "allowIMDSEndpoint: true\n"
      "httpServerWriteTimeout: 120000\n"
      "tags: [\"team:test\",\"env:ci\"]\n"
      "actionsAllowlist:\n  - com.datadoghq.http.request\n  - com.datadoghq.http.request\n"
      "taskTimeoutSeconds: 2e+06\n"
      "httpTimeoutSeconds: 10.5\n");
  CHECK(config.site == "datadoghq.eu");
  CHECK(config.urn == "urn:dd:apps:on-prem-runner:eu1:4242:runner-made-up");
  CHECK(config.private_key.reveal() == "bWFkZS11cA");
  CHECK(config.identity_source == "config.yaml");
  CHECK(config.port == 9100);
  CHECK(config.allow_imds_endpoint);
  CHECK(config.tags == Texts{"team:test", "env:ci"});
  CHECK(*config.task_timeout == 2'000'000'000ms);
  CHECK(config.http_timeout == 10'500ms);
  CHECK(config.http_server_write_timeout == 120'000ms);
  CHECK(check_identity(config));
}

TEST_CASE("a push-mode file of the chart starts without polling") {
  const Config config = good(
      "ddBaseURL: https://app.datadoghq.com\nmodes:\n  - push\n  - appBuilder\nport: 9100\n"
      "httpServerWriteTimeout: 60\ntags:\nactionsAllowlist:\n");
  CHECK(config.modes.empty());
  CHECK(config.serves_push);
  CHECK(warns(config, "takes no tasks; add pull"));
  CHECK(config.tags.empty());
  CHECK(warns(config, "httpServerWriteTimeout is in milliseconds"));
}

TEST_CASE("keys with nothing behind them count as absent") {
  const Config config = good(
      "port:\ntags: ~\nactionsAllowlist: null\nallowlist:\nmodes:\nplugins:\nappBuilder:\n"
      "taskTimeoutSeconds:\nurn:\nddBaseURL:\nlogLevel:\nallowIMDSEndpoint:\n");
  CHECK(config.port == 9016);
  CHECK_FALSE(config.host_allowlist);
  CHECK(config.modes == Texts{"pull"});
  CHECK(config.warnings.empty());
  CHECK(good("").has_file);
  CHECK(good("# only a comment\n").modes == Texts{"pull"});
}

TEST_CASE("every own option is read from the file") {
  const Config config = good(
      "apiURL: http://127.0.0.1:8081\nremoteConfigURL: http://localhost:8082/\nallowInsecureURLs: yes\n"
      "keysDirectory: keys\nremoteConfigRoot: /etc/root.json\nrunnerPoolSize: 50\n"
      "pluginsDirectory: '/a:b:'\nplugins:\n  com.example.x:\n    name: \"5\"\n    count: 5\n    deep: "
      "[true, "
      "~, 1.5]\n"
      "allowlist: ['*.corp']\ndrainTimeoutSeconds: 0\nlogFormat: text\nlogLevel: Debug\nreportedVersion: "
      "1.22.0-rc.1\n"
      "healthCheckEndpoint: /up\nhttpServerReadTimeout: 1\nloopIntervalMs: 2\nminBackoffMs: 3\nmaxBackoffMs: "
      "4\n"
      "maxAttempts: 5\nwaitBeforeRetryMs: 6\nopmsRequestTimeoutMs: 7\nhealthCheckIntervalMs: "
      "8\nheartbeatIntervalMs: 9\n"
      "jwtRefreshIntervalMs: 10\n");
  CHECK(config.api_url.origin() == "http://127.0.0.1:8081");
  CHECK(config.remote_config_url.origin() == "http://localhost:8082");
  CHECK(warns(config, "allowInsecureURLs is set"));
  CHECK(config.keys_directory == config.directory / "keys");
  CHECK(config.remote_config_root == "/etc/root.json");
  CHECK(config.runner_pool_size == 50);
  CHECK(config.plugins_directories == std::vector<std::filesystem::path>{"/a", config.directory / "b"});
  CHECK(config.plugin_settings.at("com.example.x") == R"({"name":"5","count":5,"deep":[true,null,1.5]})");
  CHECK(*config.host_allowlist == Texts{"*.corp"});
  CHECK(config.drain_timeout == 0ms);
  CHECK(config.log_format == LogFormat::text);
  CHECK(config.log_level == LogLevel::debug);
  CHECK(config.reported_version == "1.22.0-rc.1");
  CHECK(config.health_check_endpoint == "/up");
  CHECK(config.http_server_read_timeout == 1ms);
  CHECK(config.tuning.loop_interval == 2ms);
  CHECK(config.tuning.min_backoff == 3ms);
  CHECK(config.tuning.max_backoff == 4ms);
  CHECK(config.tuning.max_attempts == 5);
  CHECK(config.tuning.wait_before_retry == 6ms);
  CHECK(config.tuning.request_timeout == 7ms);
  CHECK(config.tuning.health_check_interval == 8ms);
  CHECK(config.tuning.heartbeat_interval == 9ms);
  CHECK(config.tuning.jwt_refresh_interval == 10ms);
}

TEST_CASE("variables win over the file") {
  const Config config = good(
      "port: 1\nrunnerPoolSize: 1\nallowlist: [a]\nplugins: {com.example.x: {a: 1}}\nlogLevel: error\nurn: "
      "file\n"
      "actionsAllowlist: [a.b]\nmodes: [push]\nddBaseURL: https://datadoghq.eu\n",
      {{"PAR_PORT", "0"},
       {"PAR_RUNNER_POOL_SIZE", "2"},
       {"PAR_HTTP_ALLOWLIST", "[]"},
       {"PAR_PLUGIN_SETTINGS", R"({"com.example.y":{"b":[2]}})"},
       {"DD_LOG_LEVEL", "warn"},
       {"RUNNER_URN", "variable"},
       {"PAR_ACTIONS_ALLOWLIST", "c.d e.f"},
       {"PAR_MODES", "pull"},
       {"PAR_DD_BASE_URL", "us5.datadoghq.com"},
       {"PAR_KEYS_DIRECTORY", "keys"},
       {"PAR_MAX_ATTEMPTS", ""}});
  CHECK(config.port == 0);
  CHECK(config.runner_pool_size == 2);
  CHECK(config.host_allowlist->empty());
  CHECK(warns(config, "actions can reach no host"));
  CHECK(config.plugin_settings == std::map<std::string, std::string>{{"com.example.y", R"({"b":[2]})"}});
  CHECK(config.log_level == LogLevel::warn);
  CHECK(config.urn == "variable");
  CHECK(config.identity_source == "environment");
  CHECK(config.actions_allowlist == Texts{"c.d", "e.f"});
  CHECK(config.modes == Texts{"pull"});
  CHECK(config.site == "us5.datadoghq.com");
  CHECK(config.keys_directory == "keys");
}

TEST_CASE("variables of the enrollment never override a file") {
  const Environment enrollment = {{"DD_BASE_URL", "https://us3.datadoghq.com"},
                                  {"RUNNER_NAME", "x"},
                                  {"RUNNER_MODES", "push"},
                                  {"ACTIONS_ALLOWLIST", "com.datadoghq.http.request"},
                                  {"RUNNER_ENROLLMENT_TOKEN", "t"}};
  const Config with_file = good("urn: u\nactionsAllowlist: [a.b]\n", enrollment);
  CHECK(with_file.site == "datadoghq.com");
  CHECK(with_file.modes == Texts{"pull"});
  CHECK(with_file.actions_allowlist == Texts{"a.b"});
  CHECK(with_file.warnings.empty());

  // As long as the file names no runner, the site of the one that will be enrolled is the variable's.
  CHECK(good("actionsAllowlist: [a.b]\n", enrollment).site == "us3.datadoghq.com");
  CHECK(good("ddBaseURL: https://us5.datadoghq.com\n", enrollment).site == "us5.datadoghq.com");

  const Config without = good(std::nullopt, enrollment);
  CHECK(without.site == "us3.datadoghq.com");
  CHECK(without.region == "us3");
  CHECK(without.actions_allowlist.empty());
  CHECK(warns(without, "ACTIONS_ALLOWLIST counts at enrollment only"));
  const auto identity = check_identity(without);
  REQUIRE_FALSE(identity);
  CHECK(has(identity.error().message, "RUNNER_URN"));
  CHECK(has(identity.error().message, "RUNNER_ENROLLMENT_TOKEN"));
  CHECK(lacks_identity(without));
}

TEST_CASE("the identity may come from files, from the Agent's names and in two parts") {
  const TestDirectory secrets;
  const std::string key_file = secrets.write("key", "c2VjcmV0\n").native();
  const Config by_file = good("urn: u\nprivateKey: CHANGE_ME_PRIVATE_KEY_FROM_CONFIG\n",
                              {{"RUNNER_PRIVATE_KEY_FILE", key_file}});
  CHECK(by_file.private_key.reveal() == "c2VjcmV0");
  CHECK(by_file.identity_source == "urn: config.yaml, privateKey: file named by RUNNER_PRIVATE_KEY_FILE");
  CHECK(check_identity(by_file));

  const Config agent = good(std::nullopt, {{"DD_PRIVATE_ACTION_RUNNER_URN", "u"},
                                           {"DD_PRIVATE_ACTION_RUNNER_PRIVATE_KEY", "k"},
                                           {"DD_PRIVATE_ACTION_RUNNER_ACTIONS_ALLOWLIST", "a.b,c.d"}});
  CHECK(agent.urn == "u");
  CHECK(agent.private_key.reveal() == "k");
  CHECK(agent.actions_allowlist == Texts{"a.b", "c.d"});

  CHECK(has(error_of(std::nullopt, {{"RUNNER_PRIVATE_KEY_FILE", "/does/not/exist"}}),
            "RUNNER_PRIVATE_KEY_FILE"));
  CHECK(has(error_of(std::nullopt, {{"RUNNER_PRIVATE_KEY_FILE", secrets.write("empty", " \n").native()}}),
            "is empty"));

  const auto only_urn = check_identity(good("urn: u\n"));
  REQUIRE_FALSE(only_urn);
  CHECK(has(only_urn.error().message, "privateKey is missing"));
  CHECK_FALSE(lacks_identity(good("urn: u\n")));
}

TEST_CASE("lists in variables may be written in every usual way") {
  const std::string text = GENERATE("a.b,c.d", "a.b c.d", "a.b\nc.d\n", " a.b ,\n c.d,", R"(["a.b", "c.d"])");
  CAPTURE(text);
  CHECK(good(std::nullopt, {{"PAR_ACTIONS_ALLOWLIST", text}}).actions_allowlist == Texts{"a.b", "c.d"});
}

TEST_CASE("the network is taken from the environment") {
  const Config config = good(std::nullopt, {{"HTTP_PROXY", "http://u:made-up-password@proxy:1"},
                                            {"https_proxy", "http://proxy:2"},
                                            {"NO_PROXY", "a,b"},
                                            {"no_proxy", "c"},
                                            {"SSL_CERT_DIR", "/x:/y:"},
                                            {"SSL_CERT_FILE", "/z"}});
  CHECK(config.https_proxy == "http://proxy:2");
  CHECK(config.no_proxy == "a,b");
  CHECK(config.certificate_directories == Texts{"/x", "/y"});
  CHECK(config.certificate_file == "/z");
  Redactor redactor;
  register_secrets(config, redactor);
  CHECK_FALSE(has(redactor.redact("dial " + config.http_proxy), "made-up-password"));
}

TEST_CASE("unknown keys and mistyped variables warn once with the nearest name") {
  const Config config =
      good("ddBaseUrl: x\nactionAllowlist: []\nsomethingElseAltogether: 1\nbundles: {a: 1}\n",
           {{"PAR_RUNNER_POOLSIZE", "3"}, {"PAR_SOMETHING_OF_SOMEONE_ELSE", "1"}});
  CHECK(warns(config, "config.yaml:1: unknown key \"ddBaseUrl\" is ignored (did you mean \"ddBaseURL\"?)"));
  CHECK(warns(config, "did you mean \"actionsAllowlist\"?"));
  CHECK(warns(config, "config.yaml:3: unknown key \"somethingElseAltogether\" is ignored"));
  CHECK(warns(config, "credential file"));
  CHECK(warns(config, "did you mean \"PAR_RUNNER_POOL_SIZE\"?"));
  CHECK(config.warnings.size() == 5);
}

TEST_CASE("the older place of port is read unless there is a new one") {
  CHECK(good("appBuilder:\n  port: 9100\n").port == 9100);
  CHECK(warns(good("appBuilder:\n  port: 9100\n"), "older spelling"));
  CHECK(good("port: 9200\nappBuilder:\n  port: 9100\n").port == 9200);
}

TEST_CASE("wrong values are errors with line, key, what was found and what was expected") {
  struct Row {
    const char* yaml;
    const char* error;
  };
  const Row row = GENERATE(
      Row{"a: 1\nport: abc", "config.yaml:2: port: found \"abc\", expected a whole number from 0 to 65535"},
      Row{"port: 65536", "port: found \"65536\""}, Row{"port: -1", "port: found \"-1\""},
      Row{"port: 1.5", "port: found \"1.5\""}, Row{"port: {http: 1}", "port: found a mapping"},
      Row{"taskTimeoutSeconds: -3", "a number of seconds"},
      Row{"taskTimeoutSeconds: .inf", "a number of seconds"},
      Row{"taskTimeoutSeconds: 1e99", "a number of seconds"},
      Row{"allowIMDSEndpoint: maybe", "expected true or false"},
      Row{"actionsAllowlist: a.b", "actionsAllowlist: found \"a.b\", expected a list"},
      Row{"actionsAllowlist:\n  - a: b", "found a mapping in the list"},
      Row{"tags:\n  - team: payments", "put quotes around"}, Row{"modes: [poll]", "expected pull or push"},
      Row{"allowlist: ['a[']", "never closed"}, Row{"allowlist: ['https://a']", "without scheme"},
      Row{"logLevel: loud", "expected debug, info, warn or error"},
      Row{"logFormat: xml", "expected json or text"}, Row{"runnerPoolSize: 0", "from 1 to 1000"},
      Row{"apiURL: https://a/b", "expected an origin only"},
      Row{"apiURL: https://a?b", "expected an origin only"},
      Row{"apiURL: https://a#b", "expected an origin only"},
      Row{"apiURL: https://u:p@a", "expected an origin only"}, Row{"apiURL: ftp://a", "http:// or https://"},
      Row{"apiURL: http://a", "needs allowInsecureURLs"}, Row{"remoteConfigURL: http://a", "remoteConfigURL"},
      Row{"ddBaseURL: 'https://'", "ddBaseURL"},
      Row{"reportedVersion: \"1.0\\r\\nX: y\"", "expected a version"},
      Row{"healthCheckEndpoint: up", "expected a path"}, Row{"plugins: [a]", "plugins: expected a mapping"},
      Row{"plugins: {a: 5}", "the settings of a"},
      Row{"minBackoffMs: 5\nmaxBackoffMs: 4", "larger than maxBackoffMs"},
      Row{"pluginsDirectory: ':'", "found no directory"}, Row{"- a", "key: value"},
      Row{"just text", "key: value"}, Row{"urn: [a]", "urn: found a list"});
  CAPTURE(row.yaml);
  const std::string error = error_of(row.yaml);
  CAPTURE(error);
  CHECK(has(error, row.error));
}

TEST_CASE("wrong variables are errors with the variable's name") {
  CHECK(has(error_of(std::nullopt, {{"PAR_PORT", "x"}}), "PAR_PORT: port: found \"x\""));
  CHECK(has(error_of(std::nullopt, {{"PAR_ACTIONS_ALLOWLIST", "[\"a\""}}), "JSON list"));
  CHECK(has(error_of(std::nullopt, {{"PAR_ACTIONS_ALLOWLIST", "[1]"}}), "only texts"));
  CHECK(has(error_of(std::nullopt, {{"PAR_PLUGIN_SETTINGS", "{"}}), "PAR_PLUGIN_SETTINGS"));
  CHECK(has(error_of(std::nullopt, {{"PAR_PLUGIN_SETTINGS", "[]"}}), "expected a JSON object"));
  CHECK(has(error_of(std::nullopt, {{"DD_BASE_URL", "https://bad host"}}), "DD_BASE_URL"));
}

TEST_CASE("all errors of a file are reported together and never quote the key") {
  const std::string error = error_of("port: x\nlogLevel: y\nprivateKey: [made-up-secret]\n");
  CHECK(has(error, "config.yaml:1: port"));
  CHECK(has(error, "config.yaml:2: logLevel"));
  CHECK(has(error, "config.yaml:3: privateKey: found a list"));
  CHECK_FALSE(has(error, "made-up-secret"));
}

TEST_CASE("a configuration tree of Kubernetes, all links, is read and a dangling one is an error") {
  const TestDirectory directory;
  directory.write("..2026_01/config.yaml", "port: 9999\n");
  std::filesystem::create_directory_symlink("..2026_01", directory.path() / "..data");
  std::filesystem::create_symlink("..data/config.yaml", directory.path() / "config.yaml");
  const Environment environment = {{"DD_PRIVATE_RUNNER_CONFIG_DIR", directory.path().native()}};
  CHECK(load_config(environment, k_plugins, false)->port == 9999);
  std::filesystem::remove(directory.path() / "..data");
  const auto dangling = load_config(environment, k_plugins, false);
  REQUIRE_FALSE(dangling);
  CHECK(has(dangling.error().message, "config.yaml"));
}
