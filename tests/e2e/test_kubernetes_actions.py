"""Every Kubernetes action with every kind: once with success, once with the error of its verb, once without the right to it."""
import copy
import unittest

from harness import Backend, Runner
from kubernetes_actions import ACTIONS, APPS, CORE, KIND, KINDS, VERBS, pairs
from kubernetes_cluster import IN_CLUSTER, KubernetesCase, context

SERVICES = ["kubernetes"]

# What the server is asked for by an action of that verb.
RBAC_VERB = {"restart": "patch", "deleteMultiple": "deletecollection"}


class Listing(unittest.TestCase):
    def test_the_plugins_have_exactly_these_actions(self):
        with Backend() as backend:
            runner = Runner(backend)
            self.addCleanup(runner.close)
            listed = runner.command("--list-actions").stdout.splitlines()
        self.assertEqual([name for name in listed if name.startswith("com.datadoghq.kubernetes.")], sorted(ACTIONS))

    def test_every_action_has_its_case(self):
        cases = [kind.action(verb) for verb, kind in pairs()]
        self.assertEqual(sorted([*cases, f"{CORE}.testConnection"]), sorted(ACTIONS))
        for verb in VERBS:
            self.assertTrue(callable(getattr(EveryAction, f"do_{verb}")), verb)
        self.assertEqual(sum(name.startswith(APPS) for name in ACTIONS), 36)


class EveryAction(KubernetesCase):
    """Verb by verb, all kinds at once: the tasks of one step run beside each other, as they do in real life."""

    def in_namespace(self, kind):
        return {} if kind.cluster_scoped else {"namespace": self.namespace}

    def name(self, kind):
        """Names of cluster-scoped objects are shared with other tests."""
        return f"{self.namespace}-{kind.name.lower()}" if kind.cluster_scoped else "sample"

    def path(self, kind, name=None):
        return f"{kind.collection(self.namespace)}/{name or self.name(kind)}"

    def stored(self, kind, name=None):
        return self.cluster.get(self.path(kind, name))

    def step(self, verb, inputs, check):
        """inputs(kind) of all kinds that have the verb at once, then check(kind, outcome) of each."""
        kinds = [kind for each, kind in pairs() if each == verb]
        outcomes = self.outcomes([self.task(kind.action(verb), {**self.in_namespace(kind), **inputs(kind)}) for kind in kinds])
        for kind, outcome in zip(kinds, outcomes):
            with self.subTest(kind.action(verb)):
                check(kind, outcome)
        self.covered |= {kind.action(verb) for kind in kinds}

    def succeeds(self, verb, inputs, check):
        def checked(kind, outcome):
            self.assertNotIn("error_code", outcome)
            check(kind, outcome["outputs"])

        self.step(verb, inputs, checked)

    def fails(self, verb, inputs, text):
        def checked(kind, outcome):
            self.assertEqual(outcome.get("error_code"), 2, outcome)
            self.assertIn(text(kind), outcome["error_details"])

        self.step(verb, inputs, checked)

    def is_stored(self, kind, outputs):
        self.assertEqual(outputs, kind.shape(self.stored(kind)))

    @staticmethod
    def not_found(kind):
        return f'{kind.resource} "missing" not found'

    def do_create(self):
        def inputs(kind):
            return {"body": kind.manifest(self.name(kind), self.namespace, run=self.namespace)}

        self.succeeds("create", inputs, self.is_stored)
        self.fails("create", inputs, lambda kind: f'{kind.resource} "{self.name(kind)}" already exists')

    def do_get(self):
        self.succeeds("get", lambda kind: {"name": self.name(kind)}, self.is_stored)
        self.fails("get", lambda kind: {"name": "missing"}, self.not_found)

    def do_list(self):
        def is_all(kind, outputs):
            self.assertEqual(set(outputs), {"items", "metadata"})
            self.assertEqual([item["metadata"]["name"] for item in outputs["items"]], [self.name(kind)])
            expected = self.stored(kind)
            del expected["apiVersion"], expected["kind"]
            self.assertEqual(outputs["items"][0], expected)
            self.assertIn("resourceVersion", outputs["metadata"])

        self.succeeds("list", lambda kind: {"labelSelector": f"run={self.namespace}"}, is_all)
        self.fails("list", lambda kind: {"labelSelector": "(("}, lambda kind: "found '(', expected")

    def do_update(self):
        old = {kind.name: self.stored(kind) for kind in KINDS}

        def labelled(kind):
            body = copy.deepcopy(old[kind.name])
            body["metadata"]["labels"]["updated"] = "yes"
            return {"body": body}

        def is_updated(kind, outputs):
            self.is_stored(kind, outputs)
            self.assertEqual(outputs["metadata"]["labels"]["updated"], "yes")

        def again(kind):  # of the version before the first update
            inputs = labelled(kind)
            inputs["body"]["metadata"]["labels"]["updated"] = "again"
            return inputs

        self.succeeds("update", labelled, is_updated)
        self.fails("update", again, lambda kind: "the object has been modified")

    def do_patch(self):
        def patch(*operations):
            return lambda kind: {"name": self.name(kind), "body": list(operations)}

        def is_patched(kind, outputs):
            self.is_stored(kind, outputs)
            self.assertEqual(outputs["metadata"]["labels"]["patched"], "yes")

        self.succeeds("patch", patch({"op": "test", "path": "/metadata/labels/app", "value": "par"},
                                     {"op": "add", "path": "/metadata/labels/patched", "value": "yes"}), is_patched)
        self.fails("patch", patch({"op": "test", "path": "/metadata/labels/app", "value": "other"}),
                   lambda kind: "the server rejected our request due to an error in our request")

    def do_restart(self):
        self.succeeds("restart", lambda kind: {"name": self.name(kind)}, self.is_stored)
        self.fails("restart", lambda kind: {"name": "missing"}, self.not_found)

    def do_delete(self):
        def is_deleted(kind, outputs):
            self.assertEqual(outputs, {})
            left = self.stored(kind)
            if kind.name in ("Namespace", "PersistentVolume", "PersistentVolumeClaim"):  # wait for a controller
                self.assertIn("deletionTimestamp", left["metadata"])
            else:
                self.assertIsNone(left)

        self.fails("delete", lambda kind: {"name": "missing"}, self.not_found)
        self.succeeds("delete", lambda kind: {"name": self.name(kind), "propagationPolicy": "Background", "gracePeriodSeconds": 0},
                      is_deleted)

    def do_deleteMultiple(self):  # noqa: N802
        collections = [kind for kind in KINDS if not kind.no_collection]
        for kind in collections:
            for name in (f"{self.namespace}-1", f"{self.namespace}-2"):
                self.cluster.make(kind, name, self.namespace, {"batch": self.namespace})
            self.cluster.make(kind, f"{self.namespace}-3", self.namespace)

        def is_deleted(kind, outputs):
            self.assertEqual(outputs, {})
            for number in (1, 2):
                left = self.stored(kind, f"{self.namespace}-{number}")
                self.assertTrue(left is None or "deletionTimestamp" in left["metadata"])
            self.assertNotIn("deletionTimestamp", self.stored(kind, f"{self.namespace}-3")["metadata"])

        self.succeeds("deleteMultiple", lambda kind: {"labelSelector": f"batch={self.namespace}", "propagationPolicy": "Background"},
                      is_deleted)
        self.fails("deleteMultiple", lambda kind: {"labelSelector": "(("}, lambda kind: "found '(', expected")

    def do_test_connection(self):
        outputs = self.outputs("testConnection")
        self.assertTrue(outputs["configurationValid"] and outputs["connectionValid"], outputs)
        self.assertIn("v1.36", str(outputs["serverInfo"]))
        self.covered.add(f"{CORE}.testConnection")

    def do_all(self):
        self.covered = set()
        for verb in VERBS:
            getattr(self, f"do_{verb}")()
        self.do_test_connection()
        self.assertEqual(self.covered, set(ACTIONS))

    def test_with_exactly_the_verbs_that_the_chart_grants(self):
        self.start_in_pod("serviceaccount-cluster")
        self.do_all()
        refused = [request for request in self.cluster.seen(self.namespace) if request.status == 403]
        self.assertEqual({request.verb for request in refused}, {"deletecollection"}, refused)

    def test_with_a_kubeconfig_of_an_administrator(self):
        self.start_with_kubeconfig()
        self.do_all()
        batch = [request.verb for request in self.cluster.seen("labelSelector")
                 if request.query["labelSelector"] == f"batch={self.namespace}"]
        self.assertEqual(batch, ["deletecollection"] * 17)  # one each, and no list before it

    def test_without_any_right(self):
        self.start_with_kubeconfig(connection=context("refused-nobody"))
        inputs = {"create": {"body": {"metadata": {"name": "x"}}}, "update": {"body": {"metadata": {"name": "x"}}},
                  "patch": {"name": "x", "body": []}, "get": {"name": "x"}, "delete": {"name": "x"}, "restart": {"name": "x"}}
        every = list(pairs())
        outcomes = self.outcomes([self.task(kind.action(verb), {**self.in_namespace(kind), **inputs.get(verb, {})})
                                  for verb, kind in every])
        for (verb, kind), outcome in zip(every, outcomes):
            with self.subTest(kind.action(verb)):
                self.assertEqual(outcome.get("error_code"), 2, outcome)
                text = outcome["error_details"]
                asked = "list" if verb == "deleteMultiple" else RBAC_VERB.get(verb, verb)
                self.assertIn('is forbidden: User "par-nobody" cannot', text)
                self.assertIn(f'resource "{kind.plural}" in API group "{"apps" if kind.apps else ""}"', text)
                self.assertIn("at the cluster scope" if kind.cluster_scoped else f'in the namespace "{self.namespace}"', text)
                # The rule, and the chart's value that makes it.
                self.assertRegex(text, rf'"?verbs"?: ?\[[^\]]*"?{asked}"?')
                self.assertIn(f"kubernetesActions.{kind.chart_value}", text)


if __name__ == "__main__":
    unittest.main()
