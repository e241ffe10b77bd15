#include "core/cli/rbac.hpp"

#include "core/plugin/catalog.hpp"
#include "core/policy/allowlist.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

Result<std::string> roles_of(const std::vector<std::string>& allowed) {
  return rbac_yaml(Catalog::scan({PAR_TEST_PLUGINS}), ActionsAllowlist(allowed));
}

}  // namespace

TEST_CASE("the allowed actions' rights become a Role and a ClusterRole") {
  const auto text = roles_of({"com.example.cli.get", "com.example.cli.set"});
  REQUIRE(text);
  CHECK(text->substr(text->find("---")) == R"(---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: par-runner
rules:
  - apiGroups: [""]
    resources: ["pods"]
    verbs: ["delete", "get", "list"]
  - apiGroups: [""]
    resources: ["services"]
    verbs: ["get"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: par-runner
rules:
  - apiGroups: [""]
    resources: ["nodes"]
    verbs: ["get"]
)");
}

TEST_CASE("resources that need the same share a rule, and a role without rules is left out") {
  const auto text = roles_of({"com.example.cli.get"});
  REQUIRE(text);
  CHECK(text->find(R"(resources: ["pods", "services"])") != std::string::npos);
  CHECK(text->find("ClusterRole\n") == std::string::npos);
}

TEST_CASE("where nothing is allowed there is only a comment") {
  for (const char* const allowed : {"com.example.other.get", "com.example.cli.unknown"}) {
    CHECK(roles_of({allowed}).value() == "# No action of actionsAllowlist needs rights in Kubernetes.\n");
  }
}

TEST_CASE("malformed facts are named") {
  CHECK(roles_of({"com.example.cli.*"}).error().message == PAR_TEST_PLUGINS
        "/com.example.cli.so: the manifest's rbac of action odd is not a list of objects with apiGroup, "
        "resource, "
        "verbs and namespaced");
}
