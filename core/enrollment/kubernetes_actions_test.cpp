#include "core/enrollment/kubernetes_actions.hpp"

#include "tests/catch.hpp"

using namespace par::core;

namespace {

using Texts = std::vector<std::string>;
using Kubernetes = std::map<std::string, Texts>;

}  // namespace

TEST_CASE("Kubernetes actions go by resource and verb, others by name") {
  const ChartActions split = split_for_chart(
      {"com.datadoghq.http.request", "com.datadoghq.kubernetes.batch.listJob",
       "com.datadoghq.kubernetes.batch.deleteMultipleJobs", "com.datadoghq.kubernetes.apps.scaleDeployment",
       "com.datadoghq.kubernetes.apps.restartDeployment", "com.datadoghq.kubernetes.apps.restartDeployment",
       "com.datadoghq.kubernetes.core.getEndpoints", "com.datadoghq.kubernetes.core.deleteMultipleEndpoints",
       "com.datadoghq.kubernetes.core.getPersistentVolumeClaim",
       "com.datadoghq.kubernetes.customresources.patchCustomObject"});
  CHECK(split.kubernetes == Kubernetes{{"jobs", {"list", "deleteMultiple"}},
                                       {"deployments", {"scale", "restart"}},
                                       {"endpoints", {"get", "deleteMultiple"}},
                                       {"persistentVolumeClaims", {"get"}},
                                       {"customObjects", {"patch"}},
                                       {"pods", {}}});
  CHECK(split.others == Texts{"com.datadoghq.http.request"});
  CHECK(split.without_permissions.empty());
  CHECK_FALSE(split.cluster_scoped);
}

TEST_CASE("what the chart cannot name stays in the list, and what needs a ClusterRole is told") {
  const ChartActions split = split_for_chart(
      {"com.datadoghq.kubernetes.core.*", "com.datadoghq.kubernetes.core.testConnection",
       "com.datadoghq.kubernetes.apps.scaleStatefulSet", "com.datadoghq.kubernetes.batch.listPod",
       "com.datadoghq.kubernetes.core.deleteMultiplePod", "com.datadoghq.kubernetes.core.listNode"});
  CHECK(split.others ==
        Texts{"com.datadoghq.kubernetes.core.*", "com.datadoghq.kubernetes.core.testConnection",
              "com.datadoghq.kubernetes.apps.scaleStatefulSet", "com.datadoghq.kubernetes.batch.listPod",
              "com.datadoghq.kubernetes.core.deleteMultiplePod"});
  CHECK(split.without_permissions ==
        Texts{"com.datadoghq.kubernetes.core.*", "com.datadoghq.kubernetes.apps.scaleStatefulSet",
              "com.datadoghq.kubernetes.batch.listPod", "com.datadoghq.kubernetes.core.deleteMultiplePod"});
  CHECK(split.cluster_scoped);
}

TEST_CASE("without pod actions the chart's own two are taken away") {
  CHECK(split_for_chart({}).kubernetes == Kubernetes{{"pods", {}}});
}
