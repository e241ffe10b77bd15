// The plugin as a whole against a host that plays the API server: the order of requests, repetition, error
// texts. What a real server does with them is for the end-to-end tests.
#include "plugin.hpp"

#include <cstdlib>

#include "core/config/test_directory.hpp"
#include "plugin-api/tests/fake_host.hpp"
#include "tests/catch.hpp"

using par::core::TestDirectory;
using par::test::FakeHost;

namespace {

constexpr const char* k_kubeconfig = R"(
current-context: here
clusters: [{name: c, cluster: {server: "http://k8s.test/prefix/"}}]
users: [{name: u, user: {token: secret-token}}]
contexts: [{name: here, context: {cluster: c, user: u, namespace: never-used}}]
)";

constexpr const char* k_bare = R"({"metadata":{}})";
constexpr const char* k_context = R"({"root_tokens":[{"name":"context","value":""}]})";

struct World {
  TestDirectory home;
  FakeHost fake;
  kubernetes::Plugin core{"core"};
  kubernetes::Plugin apps{"apps"};

  World() {
    ::setenv("HOME", home.path().c_str(), 1);
    home.write(".kube/config", k_kubeconfig);
  }

  /// The error's text, or empty.
  std::string run(const kubernetes::Plugin& plugin, std::string_view action, std::string_view inputs,
                  std::string_view connection = k_context) {
    par_request raw{};
    raw.struct_size = sizeof raw;
    raw.action = par::to_str(action);
    raw.inputs_json = par::to_str(inputs);
    raw.connection_json = par::to_str(connection);
    const par::Host host(&fake.host);
    par::Call call(&fake.call, host, par::Services::of(host));
    const par::Request request(&raw);
    try {
      action == "testConnection" ? plugin.test_connection(request, call) : plugin.run(request, call);
    } catch (const par::Error& error) {
      status = error.status();
      return error.message();
    }
    return "";
  }

  /// First line and body of each request so far.
  std::vector<std::string> requests() const {
    std::vector<std::string> list;
    for (const std::string& sent : fake.all_sent) {
      const size_t flags = sent.find("flags=");
      list.push_back(sent.substr(0, sent.find('\n')) + " " + sent.substr(sent.find('\n', flags) + 1));
    }
    return list;
  }

  par_status status = PAR_OK;
};

FakeHost::Answer refusal(int status, const std::string& message, const std::string& retry_after = "") {
  FakeHost::Answer answer{status, R"({"kind":"Status","message":")" + message + R"("})", {}};
  if (!retry_after.empty()) answer.headers = {{"Retry-After", retry_after}};
  return answer;
}

const std::string k_forbidden =
    R"(x is forbidden: User \"u\" cannot deletecollection resource \"pods\" in API group \"\")";

}  // namespace

TEST_CASE("each verb is one request") {
  World world;
  world.fake.pieces = {R"({"metadata":{}})"};
  const std::string core = "http://k8s.test/prefix/api/v1/namespaces/n/configmaps";
  const std::string body = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}})";
  const struct {
    const char* action;
    const char* inputs;
    std::string request;
  } rows[] = {
      {"createConfigMap",
       R"({"namespace":"n","body":{"metadata":{"name":"a"}},"dryRun":"All","fieldManager":"m m","fieldValidation":"Strict"})",
       "POST " + core + "?dryRun=All&fieldManager=m%20m&fieldValidation=Strict " + body},
      {"getConfigMap", R"({"namespace":"n","name":"a"})", "GET " + core + "/a "},
      {"updateConfigMap", R"({"namespace":"n","body":{"metadata":{"name":"a"}},"dryRun":""})",
       "PUT " + core + "/a " + body},
      {"patchConfigMap",
       R"({"namespace":"n","name":"a","body":[{"op":"remove","path":"/data"}],"force":false})",
       "PATCH " + core + R"(/a?force=false [{"op":"remove","path":"/data"}])"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.action);
    world.fake.all_sent.clear();
    world.fake.pieces = {R"({"metadata":{}})"};
    CHECK(world.run(world.core, row.action, row.inputs).empty());
    CHECK(world.fake.result == R"({"metadata":{}})");
    CHECK(world.requests() == std::vector<std::string>{row.request});
    world.fake.result.clear();
  }
  CHECK(world.fake.sent.find("Content-Type: application/json-patch+json\n") != std::string::npos);
  CHECK(world.fake.sent.find("Accept: application/json\n") != std::string::npos);
  CHECK(world.fake.sent.find("Authorization: Bearer secret-token\n") != std::string::npos);
  CHECK(world.fake.sent.find("timeout=-1 ") != std::string::npos);
  CHECK(world.fake.secrets.back() == "call secret-token");
  CHECK(world.fake.open_objects == 0);

  world.fake.all_sent.clear();
  world.fake.pieces = {R"({"items":[],"metadata":{}})"};
  CHECK(world
            .run(world.core, "listConfigMap",
                 R"({"labelSelector":"a=b","fieldSelector":"c!=d","limit":7,"continue":"t="})")
            .empty());
  CHECK(world.requests().front() ==
        "GET "
        "http://k8s.test/prefix/api/v1/"
        "configmaps?labelSelector=a%3Db&fieldSelector=c%21%3Dd&limit=7&continue=t%3D ");
  world.fake.pieces = {"ignored, whatever it is"};
  CHECK(world.run(world.core, "deleteNode", R"({"name":"a","namespace":"ignored","dryRun":"All"})").empty());
  CHECK(
      world.requests().back() ==
      R"(DELETE http://k8s.test/prefix/api/v1/nodes/a {"kind":"DeleteOptions","apiVersion":"v1","dryRun":["All"]})");
  CHECK(world.fake.result == "{}");
  world.fake.pieces = {k_bare};
  CHECK(world.run(world.apps, "restartDeployment", R"({"namespace":"n","name":"a"})").empty());
  CHECK(world.fake.sent.find("Content-Type: application/merge-patch+json\n") != std::string::npos);
}

TEST_CASE("a busy server is asked again when it says when, inside the limit") {
  World world;
  const char* const inputs = R"({"namespace":"n","name":"a"})";
  world.fake.answers = {refusal(429, "busy", "2"), refusal(503, "busy", "0"), {200, k_bare, {}}};
  CHECK(world.run(world.core, "getPod", inputs).empty());
  CHECK(world.fake.waits == std::vector<int64_t>{2000, 0});

  world.fake.answers = {refusal(429, "busy", "5"), {200, "{}", {}}};  // 5 s remain
  CHECK(world.run(world.core, "getPod", inputs) == "busy");
  world.fake.answers = {refusal(429, "busy"), {200, "{}", {}}};
  CHECK(world.run(world.core, "getPod", inputs) == "busy");
  world.fake.answers = {refusal(404, "gone", "1"), {200, "{}", {}}};
  CHECK(world.run(world.core, "getPod", inputs) == "gone");
  world.fake.answers = {refusal(500, "busy", "Wed, 21 Oct 2026 07:28:00 GMT"), {200, "{}", {}}};
  CHECK(world.run(world.core, "getPod", inputs) == "busy");

  world.fake.all_sent.clear();
  world.fake.answers = std::deque<FakeHost::Answer>(20, refusal(429, "busy", "0"));
  CHECK(world.run(world.core, "getPod", inputs) == "busy");
  CHECK(world.fake.all_sent.size() == 11);
}

TEST_CASE("pauses that are too long, alone or together, are not waited for") {
  World world;
  world.fake.remaining = INT64_MAX;
  const char* const inputs = R"({"namespace":"n","name":"a"})";
  world.fake.answers = {refusal(429, "busy", "61"), {200, k_bare, {}}};
  CHECK(world.run(world.core, "getPod", inputs) == "busy");
  world.fake.answers = {refusal(503, "busy", "4294967295"), {200, k_bare, {}}};
  CHECK(world.run(world.core, "getPod", inputs) == "busy");
  CHECK(world.fake.waits.empty());
  world.fake.answers = std::deque<FakeHost::Answer>(7, refusal(429, "busy", "60"));
  CHECK(world.run(world.core, "getPod", inputs) == "busy");
  CHECK(world.fake.waits == std::vector<int64_t>(5, 60'000));
}

TEST_CASE("of a body that nobody wants at most 1 MiB is read") {
  World world;
  world.fake.answers = {{200, std::string(3u << 20, 'x'), {}}};
  CHECK(world.run(world.core, "deleteNode", R"({"name":"a"})").empty());
  REQUIRE(world.fake.pieces.size() == 1);
  CHECK(world.fake.pieces.front().size() == 2u << 20);
  CHECK(world.fake.open_objects == 0);
}

TEST_CASE("a password is a secret, and so is the header that has it encoded") {
  World world;
  std::string config = k_kubeconfig;
  const std::string token = "token: secret-token";
  config.replace(config.find(token), token.size(), "username: me, password: pass-word");
  world.home.write(".kube/config", config);
  world.fake.answers = {{200, k_bare, {}}};
  CHECK(world.run(world.core, "getNode", R"({"name":"a"})").empty());
  CHECK(world.fake.sent.find("Authorization: Basic bWU6cGFzcy13b3Jk\n") != std::string::npos);
  CHECK(world.fake.secrets == std::vector<std::string>{"call bWU6cGFzcy13b3Jk", "call pass-word"});
}

TEST_CASE("where the collection may not be deleted its objects are, one by one") {
  World world;
  const std::string page =
      R"({"items":[{"metadata":{"name":"a","uid":"1"}},{"metadata":{"name":"b","uid":"2"}},{"metadata":{"name":"c","uid":"3"}}],"metadata":{}})";
  const std::string path = "http://k8s.test/prefix/api/v1/namespaces/n/pods";
  world.fake.answers = {refusal(403, k_forbidden),
                        {200, page, {}},
                        {200, "{}", {}},
                        refusal(404, "gone"),
                        refusal(409, "Precondition failed: UID in precondition: 3, UID in object meta: 4")};
  CHECK(world
            .run(world.core, "deleteMultiplePods",
                 R"({"namespace":"n","labelSelector":"a=b","limit":3,"dryRun":"All","name":"ignored"})")
            .empty());
  const std::string options = R"({"kind":"DeleteOptions","apiVersion":"v1",)";
  CHECK(world.requests() ==
        std::vector<std::string>{
            "DELETE " + path + "?labelSelector=a%3Db&limit=3 " + options + R"("dryRun":["All"]})",
            "GET " + path + "?labelSelector=a%3Db&limit=3 ",
            "DELETE " + path + "/a " + options + R"("preconditions":{"uid":"1"},"dryRun":["All"]})",
            "DELETE " + path + "/b " + options + R"("preconditions":{"uid":"2"},"dryRun":["All"]})",
            "DELETE " + path + "/c " + options + R"("preconditions":{"uid":"3"},"dryRun":["All"]})"});

  world.fake.answers = {
      refusal(403, k_forbidden), {200, page, {}}, {200, "{}", {}}, refusal(500, "the disk is full")};
  CHECK(world.run(world.core, "deleteMultiplePods", R"({"namespace":"n"})") ==
        "deleted 1 of 3 pods, then: the disk is full");
  world.fake.answers = {refusal(500, "no")};
  CHECK(world.run(world.core, "deleteMultiplePods", R"({"namespace":"n"})") == "no");
  world.fake.all_sent.clear();
  world.fake.answers = {{200, "{}", {}}};
  CHECK(world.run(world.core, "deleteMultiplePods", R"({"namespace":"n"})").empty());
  CHECK(world.fake.all_sent.size() == 1);
}

TEST_CASE("pages are followed up to the limit") {
  World world;
  const auto page = [](const char* name, const char* next) {
    return FakeHost::Answer{200,
                            R"({"items":[{"metadata":{"name":")" + std::string(name) +
                                R"("}}],"metadata":{"continue":")" + next + "\"}}",
                            {}};
  };
  world.fake.answers = {
      refusal(403, k_forbidden), page("a", "t/1"), page("b", "t2"), {200, "{}", {}}, {200, "{}", {}}};
  CHECK(world.run(world.core, "deleteMultiplePods", R"({"namespace":"n","limit":2})").empty());
  const auto requests = world.requests();
  REQUIRE(requests.size() == 5);
  CHECK(requests[1].find("?limit=2 ") != std::string::npos);
  CHECK(requests[2].find("?limit=1&continue=t%2F1 ") != std::string::npos);
}

TEST_CASE("a missing right is named with the rule and the chart's value that give it") {
  World world;
  world.fake.answers = {
      refusal(403, R"(pods is forbidden: User \"u\" cannot list resource \"pods\" in API group \"\")")};
  CHECK(
      world.run(world.core, "listPod", "{}") ==
      R"(pods is forbidden: User "u" cannot list resource "pods" in API group "". The runner lacks the verb "list" on pods (API group "") in all namespaces: give its account a ClusterRole with the rule {"apiGroups":[""],"resources":["pods"],"verbs":["list"]}, or in the official Helm chart set runner.kubernetesActions.pods: ["list"] with runner.roleType: ClusterRole)");
  const std::string denied =
      R"(d is forbidden: User \"u\" cannot patch resource \"deployments\" in API group \"apps\")";
  world.fake.answers = {refusal(403, denied)};
  const std::string text = world.run(world.apps, "restartDeployment", R"({"namespace":"n","name":"d"})");
  for (const char* const part : {R"(in the namespace "n")", "a Role there",
                                 R"({"apiGroups":["apps"],"resources":["deployments"],"verbs":["patch"]})",
                                 R"(runner.kubernetesActions.deployments: ["restart"])"}) {
    CAPTURE(text, part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find("roleType") == std::string::npos);
  // Refused by a quota, not for want of a right.
  world.fake.answers = {refusal(403, R"(pods \"a\" is forbidden: exceeded quota)")};
  CHECK(world.run(world.core, "getPod", R"({"namespace":"n","name":"a"})") ==
        R"(pods "a" is forbidden: exceeded quota)");
  world.fake.answers = {refusal(403, R"(x: User \"system:anonymous\" cannot get resource \"pods\")")};
  CHECK(world.run(world.core, "getPod", R"({"namespace":"n","name":"a"})").find("no credentials") !=
        std::string::npos);
}

TEST_CASE("answers that say nothing are told by verb, resource and status") {
  World world;
  const char* const inputs = R"({"namespace":"n","name":"a"})";
  world.fake.answers = {{502, "<html>\n<b>", {}}};
  CHECK(
      world.run(world.core, "getPod", inputs) ==
      R"(the server answered HTTP status 502 to get pods "a" in the namespace "n" without saying why; its answer begins: <html>)");
  world.fake.answers = {{404, "", {}}};
  CHECK(world.run(world.core, "deleteNode", R"({"name":"a"})") ==
        R"(the server answered HTTP status 404 to delete nodes "a" at the cluster scope without saying why)");
  world.fake.answers = {refusal(401, "Unauthorized")};
  CHECK(world.run(world.core, "getPod", inputs)
            .find("Unauthorized: the API server http://k8s.test/prefix does not accept") == 0);
  world.fake.answers = {refusal(422, "the server rejected our request due to an error in our request")};
  CHECK(world.run(world.core, "patchPod", R"({"namespace":"n","name":"a","body":[]})").find("JSON Patch") !=
        std::string::npos);
  world.fake.answers = {{200, "<html>", {}}};
  CHECK(world.run(world.core, "createPod", R"({"namespace":"n","body":{}})")
            .find("the server did it (HTTP status 200), but") == 0);
  world.fake.answers = {{500, "\xFF\xC3", {}}};
  CHECK(world.run(world.core, "getPod", inputs).find("begins: \xEF\xBF\xBD") != std::string::npos);
  world.fake.answers = {{200, "<html>", {}}};
  CHECK(world.run(world.core, "getPod", inputs) ==
        "the answer of http://k8s.test/prefix is no Pod in JSON; is it a Kubernetes API server?");
  world.fake.answers = {{200, R"({"status":"healthy"})", {}}};
  CHECK(world.run(world.core, "getPod", inputs) ==
        "the answer of http://k8s.test/prefix is no Pod in JSON; is it a Kubernetes API server?");
}

TEST_CASE("no answer names the server and the cause") {
  World world;
  world.fake.failure_text = "connection refused";
  world.fake.send_status = PAR_CONNECT;
  CHECK(world.run(world.core, "getPod", R"({"namespace":"n","name":"a"})") ==
        "no answer from the Kubernetes API server http://k8s.test/prefix (context \"here\" of " +
            (world.home.path() / ".kube/config").native() + "): connection refused");
  CHECK(world.status == PAR_CONNECT);
  world.fake.send_status = PAR_INVALID;  // what the kubeconfig gave is the operator's mistake, no defect
  world.run(world.core, "getPod", R"({"namespace":"n","name":"a"})");
  CHECK(world.status == PAR_ERROR);
}

TEST_CASE("a list beyond the limit names what makes it smaller") {
  World world;
  world.fake.answers = {{200, R"({"items":[")" + std::string(6000, 'x') + R"("]})", {}}};
  const std::string text = world.run(world.core, "listPod", "{}");
  CHECK(text ==
        "the answer is larger than a result may be (1000 bytes): ask for fewer pods with limit, "
        "labelSelector or "
        "fieldSelector, or for those of one namespace");
  CHECK(world.status == PAR_LIMIT);
  CHECK(world.fake.open_objects == 0);
  // One that fits around its edges.
  world.fake.answers = {{200, R"({"items":[")" + std::string(1200, 'x') + R"("]})", {}}};
  CHECK(world.run(world.core, "listPod", R"({"namespace":"n"})") ==
        "the answer is larger than a result may be (1000 bytes): ask for fewer pods with limit, "
        "labelSelector or "
        "fieldSelector");
}

TEST_CASE("bad inputs reach no server") {
  World world;
  CHECK(world.run(world.core, "getPod", R"({"namespace":"n","name":"a/b"})") ==
        "name may not contain '/', '%' or control characters");
  CHECK(world.run(world.core, "deletePod", R"({"namespace":"","name":"a"})") == "namespace is required");
  CHECK(world.run(world.core, "deleteMultiplePods", R"({"namespace":".."})") ==
        "namespace may not be \"..\"");
  CHECK(world.run(world.core, "listPod", R"({"namespace":"a/b"})") ==
        "namespace may not contain '/', '%' or control characters");
  CHECK(world.fake.all_sent.empty());
}

TEST_CASE("which tokens make a connection") {
  World world;
  CHECK(world
            .run(world.core, "getPod", R"({"namespace":"n","name":"a"})",
                 R"({"root_tokens":[{"name":"user","value":"x"},{"name":"context","value":"y"}]})")
            .find("but this one has: user, context") != std::string::npos);
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  const std::string outside = world.run(world.core, "getPod", R"({"namespace":"n","name":"a"})", "{}");
  for (const char* const part :
       {"KUBERNETES_SERVICE_HOST", "/var/run/secrets/kubernetes.io/serviceaccount/token", "context"}) {
    CHECK(outside.find(part) != std::string::npos);
  }
  std::filesystem::remove(world.home.path() / ".kube/config");
  CHECK(world.run(world.core, "getPod", R"({"namespace":"n","name":"a"})")
            .find((world.home.path() / ".kube/config").native()) != std::string::npos);
}

TEST_CASE("a changed kubeconfig counts at once") {
  World world;
  world.fake.answers = {{200, k_bare, {}}, {200, k_bare, {}}};
  CHECK(world.run(world.core, "getNode", R"({"name":"a"})").empty());
  std::string changed = k_kubeconfig;
  changed.replace(changed.find("k8s.test"), 8, "new.test");
  world.home.write(".kube/config", changed);
  CHECK(world.run(world.core, "getNode", R"({"name":"a"})").empty());
  CHECK(world.requests().back() == "GET http://new.test/prefix/api/v1/nodes/a ");
}

TEST_CASE("the test of a connection reports problems instead of failing") {
  World world;
  world.fake.answers = {{201, R"({"status":{"userInfo":{"username":"u"}}})", {}},
                        {200, R"({"gitVersion":"v1"})", {}}};
  CHECK(world.run(world.core, "testConnection", "{}").empty());
  CHECK(
      world.fake.result ==
      R"({"configurationValid":true,"connectionValid":true,"userInfo":{"username":"u"},"serverInfo":{"gitVersion":"v1"},"errors":[]})");
  world.fake.answers = {refusal(401, "Unauthorized"), refusal(401, "Unauthorized")};
  CHECK(world.run(world.core, "testConnection", "{}").empty());
  CHECK(world.fake.result.find(R"("configurationValid":true,"connectionValid":false)") == 1);
  CHECK(world.fake.result.find(R"("errors":["who the runner is: Unauthorized)") != std::string::npos);
  CHECK(world
            .run(world.core, "testConnection", "{}",
                 R"({"root_tokens":[{"name":"context","value":"nowhere"}]})")
            .empty());
  CHECK(world.fake.result.find(R"("configurationValid":false,"connectionValid":false)") == 1);
  CHECK(world.fake.result.find("nowhere") != std::string::npos);
  world.fake.send_status = PAR_DEADLINE;
  world.run(world.core, "testConnection", "{}");
  CHECK(world.status == PAR_DEADLINE);
}

TEST_CASE("warnings of the server are logged") {
  World world;
  world.fake.answers = {{200, k_bare, {{"Warning", "299 - \"old\""}}}};
  CHECK(world.run(world.core, "getNode", R"({"name":"a"})").empty());
  CHECK(world.fake.logs == std::vector<std::string>{"call 1 the API server warns: 299 - \"old\""});
}
