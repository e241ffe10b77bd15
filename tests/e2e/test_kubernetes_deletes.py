"""Deleting: one object, never more than meant; many, with and without the right to delete a collection at once."""
import uuid

from kubernetes_actions import APPS, KIND
from kubernetes_cluster import KubernetesCase, context, kubeconfig_of

SERVICES = ["kubernetes"]
CONFIG_MAP, POD, DEPLOYMENT = KIND["ConfigMap"], KIND["Pod"], KIND["Deployment"]


def rule(*verbs, resources=("configmaps",), **members):
    return {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs), **members}


class One(KubernetesCase):
    TOGETHER = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = f"par-{uuid.uuid4().hex[:12]}"  # tells the requests of this class from those of others at the same time
        token = (cls.cluster.directory / "tokens/par-admin").read_text()
        cls.start_with_kubeconfig(
            kubeconfig_of(cls.cluster.url, {"token": token, "as": cls.user, "as-groups": ["system:masters"]},
                          **{"certificate-authority": cls.cluster.variables["PAR_K8S_CA"]}), context("one"))

    def test_options_travel_in_the_body_alone(self):
        self.cluster.make(CONFIG_MAP, "sample", self.namespace)
        for inputs, expected in (
                ({"dryRun": "All"}, {"dryRun": ["All"]}),
                ({"dryRun": "All", "gracePeriodSeconds": 0}, {"dryRun": ["All"], "gracePeriodSeconds": 0}),
                ({"dryRun": "All", "propagationPolicy": "Orphan"}, {"dryRun": ["All"], "propagationPolicy": "Orphan"}),
                ({}, {})):
            self.outputs("deleteConfigMap", namespace=self.namespace, name="sample", **inputs)
            request = self.cluster.seen(self.namespace)[-1]
            body = {key: value for key, value in request.body.items() if key not in ("kind", "apiVersion")}
            self.assertEqual((request.query, request.body["kind"], body), ({}, "DeleteOptions", expected))
        self.assertEqual(self.cluster.names(CONFIG_MAP, self.namespace), [])

    def test_propagation(self):
        for policy, finalizer in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan"), ("Background", None)):
            with self.subTest(policy):
                name = policy.lower()
                self.cluster.make(DEPLOYMENT, name, self.namespace)
                self.outputs(f"{APPS}.deleteDeployment", namespace=self.namespace, name=name, propagationPolicy=policy)
                left = self.cluster.get(f"{DEPLOYMENT.collection(self.namespace)}/{name}")
                self.assertEqual(left and left["metadata"]["finalizers"], finalizer and [finalizer])
        error = self.error(f"{APPS}.deleteDeployment", namespace=self.namespace, name="foreground", propagationPolicy="Sideways")
        for policy in ("Foreground", "Orphan", "Background"):
            self.assertIn(policy, error)

    def test_grace(self):
        def pod(name):
            return self.cluster.get(f"{POD.collection(self.namespace)}/{name}")

        for name in ("default", "long", "none", "negative"):
            self.cluster.make(POD, name, self.namespace, spec={**POD.manifest(name)["spec"], "nodeName": "no-such-node"})
        self.outputs("deletePod", namespace=self.namespace, name="default")
        self.assertEqual(pod("default")["metadata"]["deletionGracePeriodSeconds"], 30)
        self.outputs("deletePod", namespace=self.namespace, name="long", gracePeriodSeconds=600)
        self.assertEqual(pod("long")["metadata"]["deletionGracePeriodSeconds"], 600)
        self.outputs("deletePod", namespace=self.namespace, name="none", gracePeriodSeconds=0)
        self.assertIsNone(pod("none"))
        outcome = self.outcome("deletePod", namespace=self.namespace, name="negative", gracePeriodSeconds=-5)
        left = pod("negative")  # the server takes it for one second; refusing it is as good
        self.assertTrue("error_code" in outcome or left["metadata"]["deletionGracePeriodSeconds"] == 1, outcome)

    def test_a_name_never_reaches_more_than_one_object(self):
        for kind in (CONFIG_MAP, DEPLOYMENT):
            self.cluster.make(kind, "sample", self.namespace)
        before = [self.cluster.get(f"{kind.collection(self.namespace)}/sample") for kind in (CONFIG_MAP, DEPLOYMENT)]
        patch = [{"op": "add", "path": "/metadata/labels/reached", "value": "yes"}]
        tasks = []

        def refused(word, action, **inputs):
            tasks.append((word, self.task(action, inputs)))

        for name in ("", "/", ".", "..", "sample/", "/sample", "sample/status", "../configmaps", "sample%2Fstatus", "%2e%2e",
                     "a/../sample"):
            refused("name", "deleteConfigMap", namespace=self.namespace, name=name)
            refused("name", "getConfigMap", namespace=self.namespace, name=name)
            refused("name", "patchConfigMap", namespace=self.namespace, name=name, body=patch)
            refused("name", "updateConfigMap", namespace=self.namespace, body={"metadata": {"name": name}})
            refused("name", f"{APPS}.restartDeployment", namespace=self.namespace, name=name)
            refused("name", "deleteNode", name=name)
        for namespace in ("", "/", ".", "..", f"{self.namespace}/configmaps", f"{self.namespace}/", f"{self.namespace}%2F"):
            refused("namespace", "deleteConfigMap", namespace=namespace, name="sample")
            refused("namespace", "getConfigMap", namespace=namespace, name="sample")
            refused("namespace", "patchConfigMap", namespace=namespace, name="sample", body=patch)
            refused("namespace", "createConfigMap", namespace=namespace, body={"metadata": {"name": "new"}})
            refused("namespace", "updateConfigMap", namespace=namespace, body={"metadata": {"name": "sample"}})
            refused("namespace", "deleteMultipleConfigMaps", namespace=namespace)
            refused("namespace", f"{APPS}.restartDeployment", namespace=namespace, name="sample")
            if namespace:  # else: of all namespaces
                refused("namespace", "listConfigMap", namespace=namespace)
        refused("namespace", "deleteConfigMap", name="sample")
        refused("namespace", "deleteConfigMap", name="sample", namespace=None)
        refused("namespace", "deleteMultipleConfigMaps", labelSelector="app=par")
        refused("name", "deleteConfigMap", namespace=self.namespace)
        refused("name", "deleteConfigMap", namespace=self.namespace, name=None)
        refused("name", "updateConfigMap", namespace=self.namespace, body={"metadata": {}})
        refused("name", "updateConfigMap", namespace=self.namespace, body={})
        refused("body", "createConfigMap", namespace=self.namespace)
        refused("body", "patchConfigMap", namespace=self.namespace, name="sample")
        for (word, task), outcome in zip(tasks, self.outcomes([task for _, task in tasks])):
            with self.subTest(task["action"], **task["inputs"]):
                self.assertEqual(outcome.get("error_code"), 2, outcome)
                self.assertIn(word, outcome["error_details"])
        self.assertEqual([request for request in self.cluster.seen("/") if request.user == self.user], [])

        # Characters that mean something in a URL are part of the name, whoever refuses it.
        odd = [self.task(action, {"namespace": self.namespace, "name": name, **more})
               for name in ("sample?x=y", "sample#x", "sam\0ple", "sample\n", "sample\r\nX: y", "sample;x", "sample ")
               for action, more in (("deleteConfigMap", {}), ("getConfigMap", {}), ("patchConfigMap", {"body": patch}))]
        for outcome in self.outcomes(odd):
            self.assertEqual(outcome.get("error_code"), 2, outcome)
        self.assertTrue([request for request in self.cluster.seen("/") if request.user == self.user])  # as names, escaped
        self.assertEqual([self.cluster.get(f"{kind.collection(self.namespace)}/sample") for kind in (CONFIG_MAP, DEPLOYMENT)], before)

    def test_names_that_need_escaping(self):
        for name in ("sample event", "ä", "a%b", "a+b&c=d", "x:y;z,@!", "a..b"):  # events take any name
            with self.subTest(name):
                body = {**KIND["Event"].manifest(name, self.namespace), "message": name}
                created = self.outcome("createEvent", namespace=self.namespace, body=body)
                if "error_code" in created:  # the server's own rule
                    self.assertIn("name", created["error_details"])
                    continue
                self.assertEqual(self.outputs("getEvent", namespace=self.namespace, name=name)["message"], name)
                self.outputs("deleteEvent", namespace=self.namespace, name=name)
        self.assertEqual(self.cluster.names(KIND["Event"], self.namespace), [])


class Many(KubernetesCase):
    """Each rule with the right to delete the collection and without it: it must come to the same."""

    def setUp(self):
        super().setUp()
        for name, colour in (("a", "red"), ("b", "red"), ("c", "blue"), ("d", "blue")):
            self.cluster.make(CONFIG_MAP, name, self.namespace, {"colour": colour})

    def delete(self, **inputs):
        self.assertEqual(self.outputs("deleteMultipleConfigMaps", namespace=self.namespace, **inputs), {})

    def left(self):
        return self.cluster.names(CONFIG_MAP, self.namespace)

    def verbs(self):
        return [request.verb for request in self.cluster.seen(self.namespace)]

    def check_rules(self):
        self.delete(dryRun="All")
        self.assertEqual(self.left(), list("abcd"))
        self.delete(labelSelector="colour=none")
        self.assertEqual(self.left(), list("abcd"))
        self.delete(labelSelector="colour in (red, green)", limit=1)
        self.assertEqual(len(self.left()), 3)
        self.delete(labelSelector="colour=red", name="c")  # a name is ignored
        self.assertEqual(self.left(), ["c", "d"])
        self.delete(fieldSelector="metadata.name=d", gracePeriodSeconds=0, propagationPolicy="Foreground")
        foreground = self.cluster.get(f"{CONFIG_MAP.collection(self.namespace)}/d")
        self.assertEqual(foreground["metadata"]["finalizers"], ["foregroundDeletion"])
        self.delete(propagationPolicy="Background", limit=0)
        self.assertNotIn("c", self.left())
        self.assertIn("colour", self.error("deleteMultipleConfigMaps", namespace=self.namespace, fieldSelector="colour=red"))

    def test_one_request_where_the_collection_may_be_deleted(self):
        self.start_in_pod("serviceaccount-full")
        self.check_rules()
        self.assertEqual(self.verbs(), ["deletecollection"] * 7)
        self.assertEqual([request.query for request in self.cluster.seen(self.namespace)], [
            {}, {"labelSelector": "colour=none"}, {"labelSelector": "colour in (red, green)", "limit": "1"},
            {"labelSelector": "colour=red"}, {"fieldSelector": "metadata.name=d"}, {}, {"fieldSelector": "colour=red"}])

    def test_one_by_one_where_it_may_not(self):
        self.start_in_pod("serviceaccount-cluster")
        self.check_rules()
        single = [request for request in self.cluster.seen(self.namespace) if request.verb == "delete"]
        self.assertTrue(all(not request.query for request in single))
        self.assertIn(["All"], [request.body.get("dryRun") for request in single])
        self.assertTrue(all(verb in ("deletecollection", "list", "delete") for verb in self.verbs()))

    def test_the_first_failure_tells_how_many_were_deleted(self):
        self.start_in_pod(self.cluster.account(self.namespace, rule("list"), rule("delete", resourceNames=["a", "b", "d"])))
        error = self.error("deleteMultipleConfigMaps", namespace=self.namespace)
        self.assertIn('configmaps "c" is forbidden', error)
        self.assertRegex(error, r"\b2\b")
        self.assertEqual(self.left(), ["c", "d"])

    def test_without_the_right_to_list_the_error_names_both_ways(self):
        self.start_in_pod(self.cluster.account(self.namespace, rule("delete")))
        error = self.error("deleteMultipleConfigMaps", namespace=self.namespace)
        self.assertIn("cannot list resource", error)
        self.assertIn("kubernetesActions.configMaps", error)
        self.assertIn("deleteMultiple", error)
        self.assertEqual(self.left(), list("abcd"))

    def test_more_objects_than_one_page(self):
        for number in range(510):
            self.cluster.make(CONFIG_MAP, f"many-{number}", self.namespace, {"colour": "many"})
        self.start_in_pod("serviceaccount-cluster")
        self.delete(labelSelector="colour=many", limit=505)
        self.assertEqual(len(self.left()), 9)
        self.delete(labelSelector="colour=many")
        self.assertEqual(self.left(), list("abcd"))
