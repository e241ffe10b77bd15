#include <array>
#include <set>
#include <string>

#include <par/json.hpp>

#include "core/plugin/manifest.hpp"
#include "manifest.hpp"
#include "outputs.hpp"
#include "paths.hpp"
#include "tests/catch.hpp"
#include "verbs.hpp"

using namespace kubernetes;

namespace {

// Kinds of groups that are not built yet: the tables' shape must take them.
constexpr Kind k_policy{"networking.k8s.io",
                        "v1",
                        "NetworkPolicy",
                        "NetworkPolicies",
                        Scope::namespaced,
                        only(Verb::get) | only(Verb::list) | only(Verb::remove_multiple),
                        {}};
constexpr Kind k_class{"networking.k8s.io", "v1", "IngressClass", "IngressClasses", Scope::cluster,
                       only(Verb::get),     {}};
constexpr std::array k_networking{k_policy, k_class};
constexpr Bundle k_bundle{"networking", k_networking, false};

par::core::Manifest read(const Bundle& bundle) {
  auto manifest = par::core::Manifest::parse(manifest_json(bundle));
  INFO((manifest ? "" : manifest.error().message));
  REQUIRE(manifest);
  return *manifest;
}

}  // namespace

TEST_CASE("each bundle has its actions and a valid manifest") {
  const par::core::Manifest core = read(*find_bundle("core"));
  const par::core::Manifest apps = read(*find_bundle("apps"));
  CHECK(core.plugin_namespace == "com.datadoghq.kubernetes.core");
  CHECK(core.actions.size() == 96 + 1);
  CHECK(apps.actions.size() == 36);
  for (const char* const name : {"createConfigMap", "deleteMultipleEndpoints",
                                 "deleteMultiplePersistentVolumeClaims", "listNamespace", "testConnection"}) {
    CAPTURE(name);
    CHECK(core.find_action(name) != nullptr);
  }
  CHECK(core.find_action("deleteMultipleNamespaces") == nullptr);
  CHECK(core.find_action("deleteMultipleServices") == nullptr);
  CHECK(apps.find_action("restartDeployment") != nullptr);
  CHECK(apps.find_action("restartDaemonSet") == nullptr);
  CHECK(apps.find_action("testConnection") == nullptr);
  CHECK(find_bundle("batch") == nullptr);
}

TEST_CASE("actions say what they change and which rights they need") {
  const par::core::Manifest core = read(*find_bundle("core"));
  CHECK_FALSE(core.find_action("listPod")->writes);
  CHECK(core.find_action("deletePod")->writes);
  CHECK(core.find_action("listPod")->extra_json ==
        R"({"rbac":[{"apiGroup":"","resource":"pods","verbs":["list"],"namespaced":true}]})");
  CHECK(core.find_action("deleteMultipleNodes")->extra_json ==
        R"({"rbac":[{"apiGroup":"","resource":"nodes","verbs":["list","delete"],"namespaced":false}]})");
  CHECK(read(*find_bundle("apps")).find_action("restartDeployment")->extra_json ==
        R"({"rbac":[{"apiGroup":"apps","resource":"deployments","verbs":["patch"],"namespaced":true}]})");
}

TEST_CASE("kinds of other groups fit the tables") {
  const par::core::Manifest manifest = read(k_bundle);
  CHECK(manifest.find_action("deleteMultipleNetworkPolicies") != nullptr);
  CHECK(manifest.find_action("getIngressClass") != nullptr);
  CHECK(collection_path(k_policy, "shop") == "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies");
  CHECK(object_path(k_class, "", "nginx") == "/apis/networking.k8s.io/v1/ingressclasses/nginx");
  CHECK(k_policy.chart_key() == "networkPolicies");
  // Without a list of fields the whole object is the output, as custom resources need it.
  CHECK(object_output(k_policy, R"({"metadata":{},"spec":{}})") == Parts{R"({"metadata":{},"spec":{}})"});
}
