#include "exec_credentials.hpp"

#include <cstdlib>

#include <par/plugin.hpp>

#include "plugin-api/tests/fake_host.hpp"
#include "tests/catch.hpp"

using namespace kubernetes;
using par::test::FakeHost;

namespace {

constexpr const char* k_v1 = "client.authentication.k8s.io/v1";

std::string printed(const std::string& status) {
  return R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)" + status +
         "}";
}

std::string mistake(const std::string& json) {
  try {
    parse_exec_credential(json, k_v1);
  } catch (const par::Error& error) {
    return error.message();
  }
  return "";
}

struct World {
  FakeHost fake;
  ExecCredentials credentials;
  ExecPlugin plugin;

  World() {
    plugin.api_version = k_v1;
    plugin.command = "login";
    plugin.arguments = {"--now"};
    fake.exit_code = 0;
  }

  /// The cluster with its credentials; the plugin prints `output` if it is run. Throws.
  Cluster apply(const std::string& output) {
    const par::Host host(&fake.host);
    const par::Call call(&fake.call, host, par::Services::of(host));
    Cluster cluster;
    cluster.origin = "context \"x\" of f";
    fake.pieces = {output};
    credentials.apply(plugin, cluster, call);
    return cluster;
  }
  std::string error(const std::string& output) {
    try {
      apply(output);
    } catch (const par::Error& error) {
      return error.message();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("a credential is a token, a client certificate, or both") {
  const ExecCredential credential = parse_exec_credential(
      printed(
          R"({"token":"t","clientCertificateData":"c","clientKeyData":"k","expirationTimestamp":"2026-01-02T03:04:05Z"})"),
      k_v1);
  CHECK(credential.token == "t");
  CHECK(credential.certificate_pem == "c");
  CHECK(credential.key_pem == "k");
  CHECK(credential.expires == 1767323045);
  CHECK_FALSE(parse_exec_credential(printed(R"({"token":"t"})"), k_v1).expires);
}

TEST_CASE("what is no credential is told without quoting it") {
  CHECK(mistake("{").find("not valid JSON (") == 0);
  CHECK(mistake("[]") == "its kind is not ExecCredential");
  CHECK(mistake(R"({"kind":"ExecCredential","apiVersion":"v2"})") ==
        "its apiVersion is not client.authentication.k8s.io/v1 as in the kubeconfig");
  CHECK(mistake(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})") ==
        "it has no status");
  CHECK(mistake(printed("{}")) == "its status has neither a token nor a client certificate");
  CHECK(mistake(printed(R"({"clientKeyData":"k"})")) ==
        "clientCertificateData and clientKeyData belong together");
  CHECK(mistake(printed(R"({"token":"t","expirationTimestamp":"tomorrow"})")).find("expirationTimestamp") !=
        std::string::npos);
}

TEST_CASE("times are read with fractions and offsets") {
  CHECK(parse_time("2026-01-02T03:04:05Z") == 1767323045);
  CHECK(parse_time("2026-01-02T03:04:05.987654Z") == 1767323045);
  CHECK(parse_time("2026-01-02T04:34:05+01:30") == 1767323045);
  CHECK(parse_time("2026-01-01T22:04:05-05:00") == 1767323045);
  for (const char* const text : {"", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05+1",
                                 "2026-01-02T03:04:05Zx", "2026-01-02T03:04:05+aa:bb"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text));
  }
}

TEST_CASE("what was printed is kept until it expires or is refused") {
  World world;
  CHECK(world.apply(printed(R"({"token":"one"})")).authorization == "Bearer one");
  Cluster again = world.apply(printed(R"({"token":"two"})"));
  CHECK(again.authorization == "Bearer one");
  CHECK(world.fake.all_sent.size() == 1);
  world.credentials.forget(again);
  CHECK(world.apply(printed(R"({"token":"two","expirationTimestamp":"2020-01-01T00:00:00Z"})")).secret ==
        "two");
  CHECK(world.apply(printed(R"({"token":"three","expirationTimestamp":"9999-12-31T23:59:59Z"})")).secret ==
        "three");
  CHECK(world.apply(printed(R"({"token":"four"})")).secret == "three");
  CHECK(world.fake.all_sent.size() == 3);
  // Other arguments, other credentials.
  world.plugin.arguments = {"--later"};
  CHECK(world.apply(printed(R"({"clientCertificateData":"c","clientKeyData":"k"})")).key_pem == "k");
  CHECK(world.apply("").authorization.empty());
  CHECK(world.fake.open_objects == 0);
}

TEST_CASE("a refusal of older credentials leaves newer ones alone, a new kubeconfig none") {
  World world;
  const Cluster old = world.apply(printed(R"({"token":"one"})"));
  world.credentials.forget(old);
  const Cluster fresh = world.apply(printed(R"({"token":"two"})"));
  world.credentials.forget(old);
  CHECK(world.apply(printed(R"({"token":"three"})")).secret == "two");

  const auto kubeconfig = std::make_shared<const Kubeconfig>();
  world.credentials.keep_only_those_of(kubeconfig);
  CHECK(world.apply(printed(R"({"token":"four"})")).secret == "four");
  world.credentials.keep_only_those_of(kubeconfig);
  world.credentials.forget(fresh);
  CHECK(world.apply(printed(R"({"token":"five"})")).secret == "four");
  world.credentials.keep_only_those_of(std::make_shared<const Kubeconfig>());
  CHECK(world.apply(printed(R"({"token":"six"})")).secret == "six");
}

TEST_CASE("the plugin gets the runner's environment without its settings") {
  World world;
  ::setenv("DD_API_KEY", "x", 1);
  ::setenv("RUNNER_PRIVATE_KEY", "x", 1);
  ::setenv("PAR_TAGS", "x", 1);
  ::setenv("AWS_PROFILE", "of-the-runner", 1);
  ::setenv("COLOUR", "of-the-runner", 1);
  world.plugin.environment = {{"COLOUR", "blue"}};
  world.apply(printed(R"({"token":"one"})"));
  const std::string& sent = world.fake.sent;
  CHECK(sent.rfind("login|--now|", 0) == 0);
  CHECK(sent.find("|AWS_PROFILE=of-the-runner|") != std::string::npos);
  CHECK(sent.find("|COLOUR=blue|") != std::string::npos);
  CHECK(sent.find("of-the-runner|COLOUR") == std::string::npos);
  CHECK(
      sent.find(
          R"(|KUBERNETES_EXEC_INFO={"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}|)") !=
      std::string::npos);
  for (const char* const name : {"DD_API_KEY", "RUNNER_PRIVATE_KEY", "PAR_TAGS"}) {
    CHECK(sent.find(name) == std::string::npos);
  }
}

TEST_CASE("a plugin that wants to know the cluster is told") {
  ExecPlugin plugin;
  plugin.api_version = k_v1;
  plugin.provide_cluster_info = true;
  plugin.cluster_config_json = R"({"a":1})";
  Cluster cluster;
  cluster.server = "https://k8s.test";
  cluster.ca_pem = "ca";
  cluster.verify = false;
  CHECK(
      exec_info(plugin, cluster) ==
      R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"cluster":{"server":"https://k8s.test","insecure-skip-tls-verify":true,"certificate-authority-data":"Y2E=","config":{"a":1}},"interactive":false}})");
}

TEST_CASE("a plugin that fails says how, to operators also why") {
  World world;
  world.fake.exit_code = 7;
  CHECK(world.error("Eno session") ==
        "the exec plugin \"login\" of context \"x\" of f left with code 7: Eno session");  // the fake keeps
                                                                                           // its mark
  world.fake.exit_code = 0;
  CHECK(world.error("nothing") ==
        "the exec plugin \"login\" of context \"x\" of f printed no usable credentials: not valid JSON "
        "(Invalid value. at byte 1)");
  world.plugin.install_hint = "install it";
  world.fake.failure_text = "no such program";
  world.fake.send_status = PAR_SPAWN;
  CHECK(world.error("") ==
        "the exec plugin \"login\" of context \"x\" of f did not deliver credentials: no such program; "
        "install it");
}
