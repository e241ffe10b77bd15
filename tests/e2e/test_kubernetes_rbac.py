"""par-runner --list-actions --rbac: the rights that the allowlist needs, no more and no less."""
import json
import subprocess

from kubernetes_actions import APPS, CORE, KIND
from kubernetes_cluster import IN_CLUSTER, KubernetesCase, in_pod

SERVICES = ["kubernetes"]
CONFIG_MAP, DEPLOYMENT = KIND["ConfigMap"], KIND["Deployment"]


class Rbac(KubernetesCase):
    ALLOW = [f"{CORE}.getConfigMap", f"{CORE}.deleteMultipleConfigMaps", f"{APPS}.restartDeployment", f"{CORE}.listNode"]

    def objects(self, text):
        """The documents as the server understands them (nothing is stored)."""
        environment = {"KUBECONFIG": self.cluster.variables["PAR_K8S_SETUP_KUBECONFIG"], "HOME": str(self.cluster.directory)}
        done = subprocess.run([self.cluster.variables["PAR_K8S_KUBECTL"], "apply", "--dry-run=server", "-o", "json", "-f", "-"],
                              input=text, capture_output=True, text=True, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr + text)
        answer = json.loads(done.stdout)
        return answer["items"] if answer["kind"] == "List" else [answer]

    def test_the_printed_rules_are_enough_and_the_least(self):
        folder = self.cluster.account(self.namespace)
        self.start(IN_CLUSTER, self.ALLOW, **in_pod(self.cluster, folder))
        done = self.runner.command("--list-actions", "--rbac")
        self.assertEqual(done.returncode, 0, done.stderr)
        roles = self.objects(done.stdout)
        self.assertTrue(all(role["kind"] in ("Role", "ClusterRole") for role in roles))
        rights = {(group, resource, verb) for role in roles for rule in role["rules"]
                  for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]}
        least = {("", "configmaps", "get"), ("", "configmaps", "list"), ("", "configmaps", "delete"), ("apps", "deployments", "patch"),
                 ("", "nodes", "list")}
        self.assertLessEqual(least, rights)
        self.assertLessEqual(rights - least, {("", "configmaps", "deletecollection")})

        self.cluster.make(CONFIG_MAP, "sample", self.namespace)
        self.cluster.make(DEPLOYMENT, "sample", self.namespace)
        self.assertIn("forbidden", self.error("getConfigMap", namespace=self.namespace, name="sample"))
        self.cluster.grant(self.namespace, self.account_of(folder),
                           *[rule for role in roles for rule in role["rules"] if rule["resources"] != ["nodes"]])
        self.outputs("getConfigMap", namespace=self.namespace, name="sample")
        self.outputs(f"{APPS}.restartDeployment", namespace=self.namespace, name="sample")
        self.outputs("deleteMultipleConfigMaps", namespace=self.namespace)
        self.assertEqual(self.cluster.names(CONFIG_MAP, self.namespace), [])

    def test_a_refusal_says_which_kind_of_role_is_missing(self):
        self.start_in_pod("serviceaccount")  # rights in one namespace only
        for action, inputs, role in (("listPod", {}, "ClusterRole"), ("getNode", {"name": "x"}, "ClusterRole"),
                                     ("getPod", {"namespace": self.namespace, "name": "x"}, "Role")):
            error = self.error(action, **inputs)
            self.assertRegex(error, rf"\b{role}\b")
            self.assertEqual("roleType: ClusterRole" in error, role == "ClusterRole", error)
        self.outputs("listPod", namespace="par-e2e")

    def account_of(self, folder):
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": (folder / "token").read_text()}}
        name = self.cluster.done("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)["status"]["user"]["username"]
        return name.rsplit(":", 1)[1]

    def test_nothing_allowed_needs_nothing(self):
        self.start(allow=["com.datadoghq.http.request"])
        done = self.runner.command("--list-actions", "--rbac")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("verbs", done.stdout)
