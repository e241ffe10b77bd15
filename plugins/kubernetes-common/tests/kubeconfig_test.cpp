#include "kubeconfig.hpp"

#include <par/sdk/error.hpp>

#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace kubernetes;
using par::core::TestDirectory;

namespace {

// "-----BEGIN X-----\n" in base64.
constexpr const char* k_pem = "LS0tLS1CRUdJTiBYLS0tLS0K";

/// A kubeconfig with one cluster, user and context from the given members.
std::string kubeconfig(const std::string& cluster, const std::string& user) {
  return "current-context: x\nclusters: [{name: c, cluster: {" + cluster + "}}]\nusers: [{name: u, user: {" +
         user + "}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n";
}

struct World {
  TestDirectory directory;

  std::pair<Cluster, std::optional<ExecPlugin>> resolve(const std::string& text,
                                                        std::string_view context = "") const {
    return resolve_context(parse_kubeconfig(directory.path() / "config", text), context);
  }
  Cluster cluster(const std::string& cluster_members, const std::string& user = "") const {
    return resolve(kubeconfig(cluster_members, user)).first;
  }
  /// The error's text without the part that names the file.
  std::string error(const std::string& text, std::string_view context = "") const {
    try {
      resolve(text, context);
    } catch (const par::Error& error) {
      const std::string start = "kubeconfig " + (directory.path() / "config").native() + ": ";
      CHECK(error.message().rfind(start, 0) == 0);
      CHECK(error.status() == PAR_ERROR);
      return error.message().substr(start.size());
    }
    return "";
  }
};

constexpr const char* k_server = "server: 'https://k8s.test:6443/'";

std::string with(const std::string& more) {
  return std::string(k_server) + ", " + more;
}

}  // namespace

TEST_CASE("every field of a cluster and a user is understood") {
  const World world;
  world.directory.write("pki/ca.crt", "ca of a file");
  world.directory.write("token", " of-a-file\n");
  Cluster cluster = world.cluster(
      with("certificate-authority: pki/ca.crt, tls-server-name: k8s, proxy-url: 'http://proxy:1', "
           "disable-compression: true"),
      "tokenFile: token, as: jane, as-uid: '7', as-groups: [a, b], as-user-extra: {scopes: [x]}");
  CHECK(cluster.server == "https://k8s.test:6443");
  CHECK(cluster.ca_pem == "ca of a file");
  CHECK(cluster.server_name == "k8s");
  CHECK(cluster.proxy == "http://proxy:1");
  CHECK(cluster.verify);
  CHECK_FALSE(cluster.compress);
  CHECK(cluster.authorization == "Bearer of-a-file");
  CHECK(cluster.secret == "of-a-file");
  CHECK(cluster.impersonation ==
        std::vector<std::pair<std::string, std::string>>{{"Impersonate-User", "jane"},
                                                         {"Impersonate-Uid", "7"},
                                                         {"Impersonate-Group", "a"},
                                                         {"Impersonate-Group", "b"},
                                                         {"Impersonate-Extra-scopes", "x"}});
  CHECK(cluster.origin == "context \"x\" of " + (world.directory.path() / "config").native());

  cluster = world.cluster(with("insecure-skip-tls-verify: true"), "username: jane, password: p:w");
  CHECK_FALSE(cluster.verify);
  CHECK(cluster.authorization == "Basic amFuZTpwOnc=");
  CHECK(cluster.secret == "p:w");
  CHECK(cluster.compress);

  const std::string data = k_pem;
  cluster = world.cluster(with("certificate-authority: nowhere, certificate-authority-data: " + data),
                          "client-certificate-data: " + data + ", client-key-data: \"" + data.substr(0, 8) +
                              "\\n" + data.substr(8) + "\"");
  CHECK(cluster.ca_pem == "-----BEGIN X-----\n");
  CHECK(cluster.certificate_pem == cluster.ca_pem);
  CHECK(cluster.key_pem == cluster.ca_pem);
}

TEST_CASE("a token's file wins over the token while it can be read") {
  const World world;
  const std::string user = "token: in-the-kubeconfig, tokenFile: token";
  CHECK(world.cluster(k_server, user).secret == "in-the-kubeconfig");
  world.directory.write("token", "of-a-file");
  CHECK(world.cluster(k_server, user).secret == "of-a-file");
  CHECK(world.cluster(k_server, "token: 12345").authorization == "Bearer 12345");
  CHECK(world.cluster(k_server, "").authorization.empty());
}

TEST_CASE("the token chooses the context, without one the current one counts") {
  const World world;
  const std::string text = R"(
clusters: [{name: c, cluster: {server: "https://one"}}, {name: d, cluster: {server: "https://two"}}, {name: c, cluster: {server: "https://three"}}]
contexts: [{name: x, context: {cluster: c}}, {name: y, context: {cluster: d, user: ""}}]
current-context: y
)";
  CHECK(world.resolve(text).first.server == "https://two");
  CHECK(world.resolve(text, "x").first.server == "https://one");  // the first of a name
}

TEST_CASE("each mistake in a kubeconfig has its own text") {
  const World world;
  world.directory.write("empty", "\n");
  const auto place = [&](const char* name) { return (world.directory.path() / name).native(); };
  const std::string pem = k_pem;
  const struct {
    std::string text;
    std::string error;
  } rows[] = {
      {"a: b: c", "not valid YAML at line 1, column 5: illegal map value"},
      {"password: *hush", "not valid YAML at line 1, column 11: the referenced anchor is not defined"},
      {"- a", "it must be a map with clusters, users and contexts"},
      {"", "it must be a map with clusters, users and contexts"},
      {"contexts: 5", "contexts must be a list"},
      {"contexts: [5]", "contexts must be a list of maps"},
      {"contexts: [{name: [x]}]", "contexts: name must be a text"},
      {"contexts: [{name: x, context: 5}]", "context \"x\": context must be a map"},
      {"contexts: []",
       "the connection's token \"context\" is empty and there is no current-context; contexts: none"},
      {"current-context: z\ncontexts: [{name: y}, {name: x}]",
       "there is no context \"z\"; contexts: \"x\", \"y\""},
      {"current-context: x\ncontexts: [{name: x}]", "context \"x\" names no cluster"},
      {"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]",
       "context \"x\" names cluster \"c\", which is not among the clusters"},
      {"current-context: x\nclusters: [{name: c, cluster: {server: 'https://s'}}]\ncontexts: [{name: x, "
       "context: {cluster: c, user: u}}]",
       "context \"x\" names user \"u\", which is not among the users"},
      {kubeconfig("", ""), "cluster \"c\": server is missing"},
      {kubeconfig("server: k8s.test:6443", ""),
       "cluster \"c\": server must be a URL that begins with https://"},
      {kubeconfig("server: 'https://u:p@k8s.test'", ""),
       "cluster \"c\": server must be a URL without user name, query and fragment; credentials belong to the "
       "user"},
      {kubeconfig(with("insecure-skip-tls-verify: maybe"), ""),
       "cluster \"c\": insecure-skip-tls-verify must be true or false"},
      {kubeconfig(with("insecure-skip-tls-verify: true, certificate-authority-data: " + pem), ""),
       "cluster \"c\": certificate-authority and insecure-skip-tls-verify exclude each other"},
      {kubeconfig(with("certificate-authority: nowhere"), ""),
       "cluster \"c\": certificate-authority " + place("nowhere") + ": No such file or directory"},
      {kubeconfig(with("certificate-authority: empty"), ""),
       "cluster \"c\": certificate-authority " + place("empty") + ": the file is empty"},
      {kubeconfig(with("certificate-authority: ."), ""),
       "cluster \"c\": certificate-authority " + place(".") + ": not a regular file"},
      {kubeconfig(with("certificate-authority-data: '%%'"), ""),
       "cluster \"c\": certificate-authority-data is not a PEM text in base64"},
      {kubeconfig(with("certificate-authority-data: AAAA"), ""),
       "cluster \"c\": certificate-authority-data is not a PEM text in base64"},
      {kubeconfig(with("proxy-url: 'socks5://p:1'"), ""),
       "cluster \"c\": proxy-url must begin with http:// or https:// (SOCKS is not supported)"},
      {kubeconfig(k_server, "client-certificate-data: " + pem),
       "user \"u\": client-certificate is given without client-key"},
      {kubeconfig(k_server, "client-key-data: " + pem),
       "user \"u\": client-key is given without client-certificate"},
      {kubeconfig(k_server, "token: t, username: n"), "user \"u\": token and username exclude each other"},
      {kubeconfig(k_server, "token: [t]"), "user \"u\": token must be a text"},
      {kubeconfig(k_server, "tokenFile: nowhere"),
       "user \"u\": tokenFile " + place("nowhere") + ": No such file or directory"},
      {kubeconfig(k_server, "auth-provider: {name: gcp}"),
       "user \"u\": auth-provider (gcp) left Kubernetes with version 1.26; use an exec plugin"},
      {kubeconfig(k_server, "as-groups: a"), "user \"u\": as-groups must be a list"},
      {kubeconfig(k_server, "exec: 5"), "user \"u\": exec: must be a map"},
      {kubeconfig(k_server, "exec: {apiVersion: client.authentication.k8s.io/v1}"),
       "user \"u\": exec: command is missing"},
      {kubeconfig(k_server, "exec: {command: x}"),
       "user \"u\": exec: apiVersion must be client.authentication.k8s.io/v1 or "
       "client.authentication.k8s.io/v1beta1"},
      {kubeconfig(k_server,
                  "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}"),
       "user \"u\": exec: interactiveMode is Always, but the runner has no terminal to ask at"},
      {kubeconfig(k_server, "token: t, exec: {command: x, apiVersion: client.authentication.k8s.io/v1}"),
       "user \"u\": exec excludes token and username"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(world.error(row.text) == row.error);
  }
}

TEST_CASE("exec plugins are read with all they need") {
  const World world;
  const auto [cluster, exec] =
      world.resolve(kubeconfig(with("extensions: [{name: other}, {name: client.authentication.k8s.io/exec, "
                                    "extension: {a: 1, b: [true, '2', x], c: null}}]"),
                               "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: bin/login, "
                               "args: [a, 'b c'], env: [{name: N, value: V}], "
                               "provideClusterInfo: true, installHint: get it}"));
  REQUIRE(exec);
  CHECK(exec->command == (world.directory.path() / "bin/login").native());
  CHECK(exec->arguments == std::vector<std::string>{"a", "b c"});
  CHECK(exec->environment == std::vector<std::pair<std::string, std::string>>{{"N", "V"}});
  CHECK(exec->provide_cluster_info);
  CHECK(exec->install_hint == "get it");
  CHECK(exec->cluster_config_json == R"({"a":1,"b":[true,"2","x"],"c":null})");
  CHECK(world
            .resolve(
                kubeconfig(k_server, "exec: {apiVersion: client.authentication.k8s.io/v1, command: login}"))
            .second->command == "login");
}
