#include "core/config/dogstatsd_settings.hpp"

#include "tests/catch.hpp"

using namespace par::core;

namespace {

std::string address(Environment environment) {
  const auto read = dogstatsd_address(environment);
  return read ? read->text() : "error: " + read.error().message;
}

Config load(Environment environment) {
  environment["DD_PRIVATE_RUNNER_CONFIG_DIR"] = "/nonexistent";
  return *load_config(environment, "/p", false);
}

}  // namespace

TEST_CASE("the Agent's address comes from the variables of all Datadog clients") {
  CHECK(address({}) == "udp://127.0.0.1:8125");
  CHECK(address({{"DD_AGENT_HOST", "10.0.0.1"}, {"DD_DOGSTATSD_PORT", "9125"}}) == "udp://10.0.0.1:9125");
  CHECK(address({{"DD_AGENT_HOST", "agent"}}) == "udp://agent:8125");
  CHECK(address({{"DD_AGENT_HOST", "::1"}}) == "udp://[::1]:8125");
  CHECK(address({{"DD_AGENT_HOST", "a"}, {"DD_DOGSTATSD_SOCKET", "/run/dsd.socket"}}) ==
        "unix:///run/dsd.socket");
  CHECK(address({{"DD_DOGSTATSD_SOCKET", "/a"}, {"DD_DOGSTATSD_URL", "udp://h:1"}}) == "udp://h:1");
  CHECK(address({{"DD_DOGSTATSD_URL", "udp://h"}}) == "udp://h:8125");
  CHECK(address({{"DD_DOGSTATSD_URL", "udp://[fd00::1]:1"}}) == "udp://[fd00::1]:1");
  CHECK(address({{"DD_DOGSTATSD_URL", "unix:///run/dsd.socket"}}) == "unix:///run/dsd.socket");
  CHECK(address({{"DD_DOGSTATSD_URL", "unixgram:///run/dsd.socket"}}) == "unix:///run/dsd.socket");
}

TEST_CASE("an address that cannot be one is told by its variable") {
  for (const char* url :
       {"unixstream:///run/x", "http://h:1", "udp://", "udp://h:99999", "unix://relative"}) {
    CAPTURE(url);
    CHECK(address({{"DD_DOGSTATSD_URL", url}}).starts_with("error: DD_DOGSTATSD_URL"));
  }
  CHECK(address({{"DD_DOGSTATSD_SOCKET", "/" + std::string(200, 'x')}})
            .starts_with("error: DD_DOGSTATSD_SOCKET"));
  CHECK(address({{"DD_DOGSTATSD_PORT", "http"}}).starts_with("error: DD_DOGSTATSD_PORT"));
}

TEST_CASE("metrics are off unless asked for, and a mistake only leaves them off") {
  CHECK_FALSE(load({{"DD_AGENT_HOST", "10.0.0.1"}}).dogstatsd);
  CHECK_FALSE(load({{"STATSD_ENABLED", "false"}, {"DD_DOGSTATSD_URL", "nonsense"}}).dogstatsd);
  CHECK(load({{"STATSD_ENABLED", "false"}, {"DD_DOGSTATSD_URL", "nonsense"}}).warnings.empty());
  CHECK(load({{"STATSD_ENABLED", "true"}}).dogstatsd->text() == "udp://127.0.0.1:8125");
  for (const Environment& wrong : {Environment{{"STATSD_ENABLED", "true"}, {"DD_DOGSTATSD_URL", "nonsense"}},
                                   Environment{{"STATSD_ENABLED", "perhaps"}}}) {
    const Config config = load(wrong);
    CHECK_FALSE(config.dogstatsd);
    REQUIRE(config.warnings.size() == 1);
    CHECK(config.warnings.front().starts_with("no metrics are sent: "));
  }
}
