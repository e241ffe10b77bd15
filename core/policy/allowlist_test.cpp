#include "core/policy/allowlist.hpp"

#include <algorithm>

#include "core/channel/raw_task.hpp"
#include "core/identity/identity.hpp"
#include "core/verify/keys.hpp"
#include "tests/catch.hpp"

namespace par::core {

// Only verify() makes verified tasks. This program does not link the real one, so that the policy can be
// tested without signatures: this one believes the outer name.
Result<VerifiedTask, Failure> verify(RawTask&& raw, const KeySet&, const RunnerUrn&, SystemTime) {
  VerifiedTask task;
  const size_t dot = raw.address.action_fqn.rfind('.');
  task.bundle_id_ = raw.address.action_fqn.substr(0, dot);
  task.action_name_ = raw.address.action_fqn.substr(dot + 1);
  task.address_ = std::move(raw.address);
  return task;
}

}  // namespace par::core

namespace {

using namespace par::core;

VerifiedTask task_of(const std::string& name) {
  RawTask raw;
  raw.address.action_fqn = name;
  return std::move(*verify(std::move(raw), KeySet(), RunnerUrn(), SystemTime()));
}

bool any_contains(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

const std::vector<std::string> k_known = {
    "com.datadoghq.http.request", "com.datadoghq.kubernetes.core.listPod",
    "com.datadoghq.kubernetes.core.deleteMultipleEndpoints", "com.datadoghq.postgresql.select"};

}  // namespace

TEST_CASE("an empty allowlist allows nothing") {
  const ActionsAllowlist list({});
  CHECK_FALSE(list.allows("com.datadoghq.http", "request"));
  CHECK_FALSE(list.allows("com.datadoghq.http", "testConnection"));
  CHECK(list.bundles().empty());
  CHECK(list.size() == 0);
}

TEST_CASE("an entry allows exactly the action that it names") {
  const ActionsAllowlist list({" com.datadoghq.http.request\t", "com.datadoghq.http.request", ""});
  CHECK(list.allows("com.datadoghq.http", "request"));
  CHECK_FALSE(list.allows("com.datadoghq.http", "Request"));
  CHECK_FALSE(list.allows("com.datadoghq.HTTP", "request"));
  CHECK_FALSE(list.allows("com.datadoghq.http", "requestMore"));
  CHECK_FALSE(list.allows("com.datadoghq", "http.request"));
  CHECK_FALSE(list.allows("", ""));
  CHECK(list.size() == 1);
}

TEST_CASE("a star allows its whole namespace and nothing below or above") {
  const ActionsAllowlist list({"com.datadoghq.kubernetes.core.*"});
  CHECK(list.allows("com.datadoghq.kubernetes.core", "listPod"));
  CHECK_FALSE(list.allows("com.datadoghq.kubernetes.apps", "listDeployment"));
  CHECK_FALSE(list.allows("com.datadoghq.kubernetes", "core"));
}

TEST_CASE("a star that stands for several namespaces allows none of them") {
  const ActionsAllowlist list({"*", "com.datadoghq.*", "com.*.http.request"});
  CHECK_FALSE(list.allows("com.datadoghq.http", "request"));
  const auto warnings = list.warnings(k_known);
  CHECK(any_contains(warnings, "\"*\" allows nothing"));
  CHECK(any_contains(warnings, "\"com.datadoghq.*\" does not open"));
}

TEST_CASE("every implied action follows from any entry with its prefix") {
  struct Row {
    const char* entry;
    const char* bundle;
    const char* action;
  };
  const Row row =
      GENERATE(Row{"com.datadoghq.gitlab.branches.list", "com.datadoghq.gitlab.users", "testConnection"},
               Row{"com.datadoghq.kubernetes.apps.*", "com.datadoghq.kubernetes.core", "testConnection"},
               Row{"com.datadoghq.script.runPredefinedScript", "com.datadoghq.script", "testConnection"},
               Row{"com.datadoghq.script.runPredefinedScript", "com.datadoghq.script", "enrichScript"},
               Row{"com.datadoghq.ddagent.status", "com.datadoghq.ddagent", "testConnection"},
               Row{"com.datadoghq.http.request", "com.datadoghq.http", "testConnection"},
               Row{"com.datadoghq.remoteaction.x.y", "com.datadoghq.remoteaction", "testConnection"});
  CAPTURE(row.entry);
  const ActionsAllowlist list({row.entry});
  CHECK(list.allows(row.bundle, row.action));
  CHECK_FALSE(ActionsAllowlist({"com.example.other.act"}).allows(row.bundle, row.action));
  CHECK_FALSE(
      ActionsAllowlist({"COM.datadoghq.script.a", "xcom.datadoghq.http.b"}).allows(row.bundle, row.action));
}

TEST_CASE("implied actions open a bundle without naming it") {
  const ActionsAllowlist list({"com.datadoghq.kubernetes.apps.listDeployment"});
  CHECK(list.bundles() ==
        std::vector<std::string>{"com.datadoghq.kubernetes.apps", "com.datadoghq.kubernetes.core"});
  CHECK(list.named_bundles() == std::vector<std::string>{"com.datadoghq.kubernetes.apps"});
  CHECK_FALSE(list.allows("com.datadoghq.kubernetes.core", "listPod"));
}

TEST_CASE("the chart's misspelt plural of endpoints is read as what it means") {
  const ActionsAllowlist list({"com.datadoghq.kubernetes.core.deleteMultipleEndpointss"});
  CHECK(list.allows("com.datadoghq.kubernetes.core", "deleteMultipleEndpoints"));
  CHECK(list.warnings(k_known).empty());
}

TEST_CASE("entries that match no known action warn with the nearest one") {
  const ActionsAllowlist list({"com.datadoghq.http.reqest", "com.datadoghq.postgresql.select", "request",
                               "com.example.unknown.act", ".x", "x."});
  const auto warnings = list.warnings(k_known);
  CHECK(any_contains(warnings, "\"com.datadoghq.http.reqest\" is no action"));
  CHECK(any_contains(warnings, "did you mean \"com.datadoghq.http.request\"?"));
  CHECK(any_contains(warnings, "\"request\" allows nothing"));
  CHECK_FALSE(any_contains(warnings, "com.example.unknown"));
  CHECK(warnings.size() == 4);
}

TEST_CASE("a refusal names the missing entry and where to add it") {
  const ActionsAllowlist list({"com.datadoghq.postgresql.select"});
  const auto refused = allow(task_of("com.datadoghq.http.request"), list);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::action_error);
  CHECK(refused.error().message.find("\"com.datadoghq.http.request\"") != std::string::npos);
  CHECK(refused.error().message.find("config.yaml") != std::string::npos);
  CHECK(refused.error().message.find("runner.config.actionsAllowlist") != std::string::npos);
  CHECK(refused.error().message.find("kubernetesActions") == std::string::npos);

  const auto kubernetes = allow(task_of("com.datadoghq.kubernetes.core.listPod"), list);
  REQUIRE_FALSE(kubernetes);
  CHECK(kubernetes.error().message.find("runner.kubernetesActions") != std::string::npos);
}

TEST_CASE("an allowed task passes unchanged") {
  const auto allowed = allow(task_of("com.datadoghq.postgresql.select"),
                             ActionsAllowlist({"com.datadoghq.postgresql.select"}));
  REQUIRE(allowed);
  CHECK(allowed->task().action_name() == "select");
}
