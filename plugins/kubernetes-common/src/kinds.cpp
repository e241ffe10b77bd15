#include "kinds.hpp"

#include <algorithm>
#include <array>

namespace kubernetes {
namespace {

constexpr Field k_metadata{"metadata", JsonType::object, true};
constexpr Field k_spec{"spec", JsonType::object, true};
constexpr Field k_status{"status", JsonType::object, true};

constexpr std::array k_spec_only{k_metadata, k_spec};
constexpr std::array k_spec_and_status{k_metadata, k_spec, k_status};

constexpr std::array k_config_map{k_metadata, Field{"immutable", JsonType::boolean}, Field{"data"},
                                  Field{"binaryData"}};
constexpr std::array k_controller_revision{k_metadata, Field{"data", JsonType::any},
                                           Field{"revision", JsonType::integer, true}};
constexpr std::array k_endpoints{k_metadata, Field{"subsets", JsonType::array}};
constexpr std::array k_event{k_metadata,
                             Field{"involvedObject", JsonType::object, true},
                             Field{"reason", JsonType::string},
                             Field{"message", JsonType::string},
                             Field{"source"},
                             Field{"firstTimestamp", JsonType::any},
                             Field{"lastTimestamp", JsonType::any},
                             Field{"count", JsonType::integer},
                             Field{"type", JsonType::string},
                             Field{"eventTime", JsonType::any},
                             Field{"series"},
                             Field{"action", JsonType::string},
                             Field{"related"},
                             Field{"reportingComponent", JsonType::string, true},
                             Field{"reportingInstance", JsonType::string, true}};
constexpr std::array k_pod_template{k_metadata, Field{"template", JsonType::object, true}};
constexpr std::array k_service_account{k_metadata, Field{"secrets", JsonType::array},
                                       Field{"imagePullSecrets", JsonType::array},
                                       Field{"automountServiceAccountToken", JsonType::boolean}};

constexpr Verbs k_single = only(Verb::create) | only(Verb::get) | only(Verb::list) | only(Verb::update) |
                           only(Verb::patch) | only(Verb::remove);
constexpr Verbs k_all = k_single | only(Verb::remove_multiple);

constexpr Scope k_ns = Scope::namespaced;
constexpr Scope k_cluster = Scope::cluster;

constexpr std::array k_apps{
    Kind{"apps", "v1", "ControllerRevision", "ControllerRevisions", k_ns, k_all, k_controller_revision},
    Kind{"apps", "v1", "DaemonSet", "DaemonSets", k_ns, k_all, k_spec_and_status},
    Kind{"apps", "v1", "Deployment", "Deployments", k_ns, k_all | only(Verb::restart), k_spec_and_status},
    Kind{"apps", "v1", "ReplicaSet", "ReplicaSets", k_ns, k_all, k_spec_and_status},
    Kind{"apps", "v1", "StatefulSet", "StatefulSets", k_ns, k_all, k_spec_and_status},
};

// Namespaces and services have no action that deletes several.
constexpr std::array k_core{
    Kind{"", "v1", "ConfigMap", "ConfigMaps", k_ns, k_all, k_config_map},
    Kind{"", "v1", "Endpoints", "Endpoints", k_ns, k_all, k_endpoints},
    Kind{"", "v1", "Event", "Events", k_ns, k_all, k_event},
    Kind{"", "v1", "LimitRange", "LimitRanges", k_ns, k_all, k_spec_only},
    Kind{"", "v1", "Namespace", "Namespaces", k_cluster, k_single, k_spec_and_status},
    Kind{"", "v1", "Node", "Nodes", k_cluster, k_all, k_spec_and_status},
    Kind{"", "v1", "PersistentVolume", "PersistentVolumes", k_cluster, k_all, k_spec_and_status},
    Kind{"", "v1", "PersistentVolumeClaim", "PersistentVolumeClaims", k_ns, k_all, k_spec_and_status},
    Kind{"", "v1", "Pod", "Pods", k_ns, k_all, k_spec_and_status},
    Kind{"", "v1", "PodTemplate", "PodTemplates", k_ns, k_all, k_pod_template},
    Kind{"", "v1", "ReplicationController", "ReplicationControllers", k_ns, k_all, k_spec_and_status},
    Kind{"", "v1", "ResourceQuota", "ResourceQuotas", k_ns, k_all, k_spec_and_status},
    Kind{"", "v1", "Service", "Services", k_ns, k_single, k_spec_and_status},
    Kind{"", "v1", "ServiceAccount", "ServiceAccounts", k_ns, k_all, k_service_account},
};

constexpr std::array k_bundles{
    Bundle{"apps", k_apps, false},
    Bundle{"core", k_core, true},
};

constexpr char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string Kind::api_version() const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string Kind::resource() const {
  std::string text(plural);
  std::transform(text.begin(), text.end(), text.begin(), small);
  return text;
}

std::string Kind::chart_key() const {
  std::string text(plural);
  text.front() = small(text.front());
  return text;
}

const Bundle* find_bundle(std::string_view name) {
  const auto* const found = std::find_if(k_bundles.begin(), k_bundles.end(),
                                         [&](const Bundle& bundle) { return bundle.name == name; });
  return found == k_bundles.end() ? nullptr : found;
}

}  // namespace kubernetes
