"""The kinds and the actions of the Kubernetes plugins, as the tests know them: written down here, taken from no plugin."""
import copy
import json
from dataclasses import dataclass

from harness import ROOT

CORE, APPS = "com.datadoghq.kubernetes.core", "com.datadoghq.kubernetes.apps"
OBJECTS = ROOT / "tests/services/kubernetes/objects"

# Word for word what workflows may name.
CORE_ACTIONS = """
    createConfigMap createEndpoints createEvent createLimitRange createNamespace createNode createPersistentVolume
    createPersistentVolumeClaim createPod createPodTemplate createReplicationController createResourceQuota
    createService createServiceAccount deleteConfigMap deleteEndpoints deleteEvent deleteLimitRange
    deleteMultipleConfigMaps deleteMultipleEndpoints deleteMultipleEvents deleteMultipleLimitRanges
    deleteMultipleNodes deleteMultiplePersistentVolumeClaims deleteMultiplePersistentVolumes
    deleteMultiplePodTemplates deleteMultiplePods deleteMultipleReplicationControllers deleteMultipleResourceQuotas
    deleteMultipleServiceAccounts deleteNamespace deleteNode deletePersistentVolume deletePersistentVolumeClaim
    deletePod deletePodTemplate deleteReplicationController deleteResourceQuota deleteService deleteServiceAccount
    getConfigMap getEndpoints getEvent getLimitRange getNamespace getNode getPersistentVolume
    getPersistentVolumeClaim getPod getPodTemplate getReplicationController getResourceQuota getService
    getServiceAccount listConfigMap listEndpoints listEvent listLimitRange listNamespace listNode
    listPersistentVolume listPersistentVolumeClaim listPod listPodTemplate listReplicationController
    listResourceQuota listService listServiceAccount patchConfigMap patchEndpoints patchEvent patchLimitRange
    patchNamespace patchNode patchPersistentVolume patchPersistentVolumeClaim patchPod patchPodTemplate
    patchReplicationController patchResourceQuota patchService patchServiceAccount updateConfigMap updateEndpoints
    updateEvent updateLimitRange updateNamespace updateNode updatePersistentVolume updatePersistentVolumeClaim
    updatePod updatePodTemplate updateReplicationController updateResourceQuota updateService updateServiceAccount
    testConnection
""".split()

APPS_ACTIONS = """
    createControllerRevision createDaemonSet createDeployment createReplicaSet createStatefulSet
    deleteControllerRevision deleteDaemonSet deleteDeployment deleteMultipleControllerRevisions
    deleteMultipleDaemonSets deleteMultipleDeployments deleteMultipleReplicaSets deleteMultipleStatefulSets
    deleteReplicaSet deleteStatefulSet getControllerRevision getDaemonSet getDeployment getReplicaSet getStatefulSet
    listControllerRevision listDaemonSet listDeployment listReplicaSet listStatefulSet patchControllerRevision
    patchDaemonSet patchDeployment patchReplicaSet patchStatefulSet restartDeployment updateControllerRevision
    updateDaemonSet updateDeployment updateReplicaSet updateStatefulSet
""".split()

ACTIONS = [f"{CORE}.{name}" for name in CORE_ACTIONS] + [f"{APPS}.{name}" for name in APPS_ACTIONS]


@dataclass(frozen=True)
class Kind:
    name: str
    outputs: tuple  # members of an object that actions answer with
    apps: bool = False
    cluster_scoped: bool = False
    no_collection: bool = False  # there is no deleteMultiple

    @property
    def plural(self):
        return self.name.lower() if self.name.endswith("s") else self.name.lower() + "s"

    @property
    def resource(self):
        """As the server's messages name it."""
        return self.plural + (".apps" if self.apps else "")

    @property
    def chart_value(self):
        """Its key below kubernetesActions in the values of the official chart."""
        name = self.name if self.name.endswith("s") else self.name + "s"
        return name[0].lower() + name[1:]

    def collection(self, namespace=None):
        """Path of its objects; of those in all namespaces without `namespace`."""
        path = "/apis/apps/v1" if self.apps else "/api/v1"
        if namespace and not self.cluster_scoped:
            path += f"/namespaces/{namespace}"
        return f"{path}/{self.plural}"

    def action(self, verb):
        name = verb + self.name
        if verb == "deleteMultiple" and not name.endswith("s"):
            name += "s"
        return f"{APPS if self.apps else CORE}.{name}"

    def manifest(self, name, namespace=None, **labels):
        """A small valid manifest."""
        body = json.loads((OBJECTS / f"{self.name.lower()}.json").read_text())
        body["metadata"]["name"] = name
        body["metadata"]["labels"].update(labels)
        if self.name == "Event":
            body["involvedObject"]["namespace"] = namespace
        return body

    def shape(self, item):
        """What an action answers for an object of the server."""
        missing = {"metadata": {}, "spec": {}, "status": {}, "template": {}, "involvedObject": {}, "revision": 0,
                   "reportingComponent": "", "reportingInstance": ""}
        return {key: copy.deepcopy(item.get(key, missing.get(key))) for key in self.outputs if key in item or key in missing}


WORKLOAD = ("metadata", "spec", "status")

KINDS = [
    Kind("ControllerRevision", ("metadata", "data", "revision"), apps=True),
    Kind("DaemonSet", WORKLOAD, apps=True),
    Kind("Deployment", WORKLOAD, apps=True),
    Kind("ReplicaSet", WORKLOAD, apps=True),
    Kind("StatefulSet", WORKLOAD, apps=True),
    Kind("ConfigMap", ("metadata", "immutable", "data", "binaryData")),
    Kind("Endpoints", ("metadata", "subsets")),
    Kind("Event", ("metadata", "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count",
                   "type", "eventTime", "series", "action", "related", "reportingComponent", "reportingInstance")),
    Kind("LimitRange", ("metadata", "spec")),
    Kind("Namespace", WORKLOAD, cluster_scoped=True, no_collection=True),
    Kind("Node", WORKLOAD, cluster_scoped=True),
    Kind("PersistentVolume", WORKLOAD, cluster_scoped=True),
    Kind("PersistentVolumeClaim", WORKLOAD),
    Kind("Pod", WORKLOAD),
    Kind("PodTemplate", ("metadata", "template")),
    Kind("ReplicationController", WORKLOAD),
    Kind("ResourceQuota", WORKLOAD),
    Kind("Service", WORKLOAD, no_collection=True),
    Kind("ServiceAccount", ("metadata", "secrets", "imagePullSecrets", "automountServiceAccountToken")),
]
KIND = {kind.name: kind for kind in KINDS}

VERBS = ["create", "get", "list", "update", "patch", "restart", "delete", "deleteMultiple"]


def pairs():
    """Every verb with every kind that has it."""
    for verb in VERBS:
        for kind in KINDS:
            if verb == "restart" and kind.name != "Deployment" or verb == "deleteMultiple" and kind.no_collection:
                continue
            yield verb, kind
