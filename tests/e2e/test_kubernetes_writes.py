"""Creating and changing objects: what reaches the server, and what its refusals say."""
import re
import time

from harness import wait_until
from kubernetes_actions import APPS, KIND
from kubernetes_cluster import KubernetesCase

SERVICES = ["kubernetes"]


class Writes(KubernetesCase):
    TOGETHER = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_with_kubeconfig()

    def stored(self, name="sample", kind="ConfigMap"):
        return self.cluster.get(f"{KIND[kind].collection(self.namespace)}/{name}")

    def make(self, name="sample", kind="ConfigMap", **members):
        return self.cluster.make(KIND[kind], name, self.namespace, **members)

    def outputs(self, action, connection=None, **inputs):
        return super().outputs(action, connection, **{"namespace": self.namespace, **inputs})

    def error(self, action, connection=None, *, code=2, **inputs):
        return super().error(action, connection, code=code, **{"namespace": self.namespace, **inputs})

    def test_a_dry_run_stores_nothing(self):
        outputs = self.outputs("createConfigMap", body={"metadata": {"name": "new"}, "data": {"a": "b"}}, dryRun="All")
        self.assertEqual(outputs["data"], {"a": "b"})
        self.assertIsNone(self.stored("new"))
        before = self.make()
        outputs = self.outputs("updateConfigMap", body={**before, "data": {"mode": "red"}}, dryRun="All")
        self.assertEqual(outputs["data"], {"mode": "red"})
        outputs = self.outputs("patchConfigMap", name="sample", dryRun="All",
                               body=[{"op": "replace", "path": "/data/mode", "value": "green"}])
        self.assertEqual(outputs["data"], {"mode": "green"})
        self.assertEqual(self.outputs("deleteConfigMap", name="sample", dryRun="All"), {})
        self.assertEqual(self.stored(), before)
        error = self.error("createConfigMap", body={"metadata": {"name": "new"}}, dryRun="Some")
        self.assertIn("All", error)
        self.assertIsNone(self.stored("new"))

    def test_the_field_manager_owns_what_it_wrote(self):
        def managers():
            return {entry["manager"] for entry in self.stored()["metadata"]["managedFields"]}

        self.outputs("createConfigMap", body={"metadata": {"name": "sample"}, "data": {"a": "b"}}, fieldManager="creator")
        self.assertEqual(managers(), {"creator"})
        self.outputs("updateConfigMap", body={"metadata": {"name": "sample"}, "data": {"a": "c"}}, fieldManager="updater")
        self.assertIn("updater", managers())
        self.outputs("patchConfigMap", name="sample", body=[{"op": "add", "path": "/data/d", "value": "e"}], fieldManager="patcher & co")
        self.assertIn("patcher & co", managers())
        self.assertIn("fieldManager", self.error("createConfigMap", body={"metadata": {"name": "new"}}, fieldManager="m" * 129))

    def test_unknown_fields_are_judged_by_the_server(self):
        odd = {"metadata": {"name": "odd"}, "data": {"a": "b"}, "colour": "blue"}
        for action in ("createConfigMap", "updateConfigMap"):
            self.assertIn('unknown field "colour"', self.error(action, body=odd, fieldValidation="Strict"))
        self.assertIsNone(self.stored("odd"))
        for validation in ("Warn", "Ignore"):
            self.outputs("createConfigMap", body={**odd, "metadata": {"name": validation.lower()}}, fieldValidation=validation)
        self.runner.wait_log('unknown field \\"colour\\"')  # the server's warning
        self.outputs("createConfigMap", body=odd)
        colour = [{"op": "add", "path": "/colour", "value": "blue"}]
        self.assertIn('unknown field "colour"', self.error("patchConfigMap", name="odd", body=colour, fieldValidation="Strict"))
        self.outputs("patchConfigMap", name="odd", body=colour)
        self.assertIn("Strict", self.error("createConfigMap", body=odd, fieldValidation="Loud"))

    def test_json_patches(self):
        self.make()
        outputs = self.outputs("patchConfigMap", name="sample", body=[
            {"op": "test", "path": "/data/mode", "value": "blue"},
            {"op": "copy", "from": "/data/mode", "path": "/metadata/labels/a.b~1c"},
            {"op": "move", "from": "/data/mode", "path": "/data/was"}, {"op": "remove", "path": "/binaryData"}])
        self.assertEqual((outputs["data"], outputs["metadata"]["labels"]["a.b/c"]), ({"was": "blue"}, "blue"))
        self.assertNotIn("binaryData", outputs)
        before = self.stored()
        rejected = "the server rejected our request due to an error in our request"
        for operation in ({"op": "test", "path": "/data/was", "value": "red"}, {"op": "remove", "path": "/data/none"},
                          {"op": "twist", "path": "/data"}):
            body = [{"op": "add", "path": "/data/no", "value": "no"}, operation]
            self.assertIn(rejected, self.error("patchConfigMap", name="sample", body=body))
        label = [{"op": "add", "path": "/metadata/labels/a", "value": "b"}]
        for force in (True, False):
            error = self.error("patchConfigMap", name="sample", body=label, force=force)
            self.assertIn("force: Forbidden: may not be specified for non-apply patch", error)
        self.assertIn("the name of the object", self.error("patchConfigMap", name="sample", body=[
            {"op": "replace", "path": "/metadata/name", "value": "other"}]))
        self.assertEqual(self.outputs("patchConfigMap", name="sample", body=[])["metadata"], before["metadata"])
        self.assertEqual(self.stored(), before)
        # What a patch of the list form cannot be is refused before it is sent.
        self.error("patchConfigMap", name="sample", body={"data": {"a": "b"}})
        self.assertEqual({request.verb for request in self.cluster.seen(self.namespace)}, {"patch"})

    def test_a_resource_version_guards_an_update(self):
        old = self.make()
        self.outputs("updateConfigMap", body={**old, "data": {"mode": "red"}})
        error = self.error("updateConfigMap", body={**old, "data": {"mode": "green"}})
        self.assertIn('Operation cannot be fulfilled on configmaps "sample"', error)
        self.assertIn("the object has been modified", error)
        self.assertEqual(self.stored()["data"], {"mode": "red"})
        self.outputs("updateConfigMap", body={"metadata": {"name": "sample"}, "data": {"mode": "white"}})
        self.assertEqual(self.stored()["data"], {"mode": "white"})
        self.assertIn('configmaps "absent" not found', self.error("updateConfigMap", body={"metadata": {"name": "absent"}}))

    def test_refused_manifests_bring_the_servers_words(self):
        for body, text in (
                ({"metadata": {"name": "x", "namespace": "default"}}, "the namespace of the provided object does not match"),
                ({"metadata": {"name": "Bad_Name"}}, "a lowercase RFC 1123 subdomain must consist of"),
                ({"metadata": {}}, "name or generateName is required"),
                ({"metadata": {"name": "x"}, "data": {"a": 1}}, "cannot unmarshal number"),
                ({"metadata": {"name": "x"}, "data": {"a": "b" * (3 << 20)}}, "limit is 3145728")):
            with self.subTest(text):
                self.assertIn(text, self.error("createConfigMap", body=body))
        error = super().error("createConfigMap", namespace="no-such-namespace", body={"metadata": {"name": "x"}})
        self.assertIn('namespaces "no-such-namespace" not found', error)
        self.make("immutable", immutable=True)
        self.assertIn("field is immutable", self.error("patchConfigMap", name="immutable", body=[
            {"op": "add", "path": "/data/a", "value": "b"}]))

    def test_the_action_decides_kind_and_version_and_leaves_the_rest_alone(self):
        self.outputs("createConfigMap", body={
            "apiVersion": "apps/v9", "kind": "Secret", "metadata": {"name": "sample", "annotations": None, "generateName": "s-"},
            "data": {"Key": "1.0", "key": "tab\tquote\"ä\U0001f600"}})
        sent = self.cluster.seen(self.namespace)[0].body
        self.assertEqual((sent["apiVersion"], sent["kind"]), ("v1", "ConfigMap"))
        self.assertEqual(self.stored()["data"], {"Key": "1.0", "key": "tab\tquote\"ä\U0001f600"})
        self.outputs(f"{APPS}.createControllerRevision", body={
            "metadata": {"name": "sample"}, "revision": 3.0, "data": {"NULL": None, "n": 2.0, "deep": [{"Ä": [1.5, True, {}]}]}})
        stored = self.stored(kind="ControllerRevision")
        self.assertEqual((stored["revision"], stored["data"]), (3, {"NULL": None, "n": 2, "deep": [{"Ä": [1.5, True, {}]}]}))
        # The server keeps the bytes of data: sent with spaces, such an object could never be patched again.
        self.outputs(f"{APPS}.patchControllerRevision", name="sample", body=[
            {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}])
        self.outputs(f"{APPS}.updateControllerRevision", body={**self.stored(kind="ControllerRevision"), "revision": 4})

    def test_integers_come_out_exact(self):
        big = 9223372036854775807
        self.make(kind="ControllerRevision", data={"big": big, "small": -big, "float": 0.1})
        outputs = self.outputs(f"{APPS}.getControllerRevision", name="sample")
        self.assertEqual(outputs["data"], {"big": big, "small": -big, "float": 0.1})

    def test_what_the_server_leaves_out_stays_out_or_is_empty(self):
        self.cluster.done("POST", KIND["ConfigMap"].collection(self.namespace), {"metadata": {"name": "bare"}})
        self.assertEqual(set(self.outputs("getConfigMap", name="bare")), {"metadata"})
        self.make(kind="DaemonSet")
        self.assertEqual(set(self.outputs(f"{APPS}.getDaemonSet", name="sample")), {"metadata", "spec", "status"})
        self.make(kind="ResourceQuota")
        self.assertEqual(self.outputs("getResourceQuota", name="sample")["status"], {})
        self.make(kind="Event")
        event = self.outputs("getEvent", name="sample")
        self.assertEqual((event["reportingComponent"], event["reportingInstance"]), ("", ""))
        self.assertNotIn("series", event)

    def test_restart_twice(self):
        self.make(kind="Deployment")
        seen = []
        for generation in (2, 3):
            outputs = self.outputs(f"{APPS}.restartDeployment", name="sample")
            self.assertEqual(outputs["metadata"]["generation"], generation)
            seen.append(outputs["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"])
            time.sleep(1.1)  # the time has whole seconds
        self.assertNotEqual(*seen)
        for text in seen:
            self.assertTrue(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", text), text)
        self.assertIn("namespace", super().error(f"{APPS}.restartDeployment", name="sample"))

    def test_cluster_scoped_kinds_ignore_a_namespace(self):
        name = f"{self.namespace}-node"
        self.outputs("createNode", body=KIND["Node"].manifest(name))
        self.assertEqual(self.outputs("getNode", name=name)["metadata"]["name"], name)
        self.outputs("patchNode", name=name, body=[{"op": "add", "path": "/metadata/labels/a", "value": "b"}])
        self.outputs("deleteNode", name=name)
        self.assertIsNone(self.cluster.get(f"/api/v1/nodes/{name}"))

    def test_a_namespace_stays_terminating(self):
        name = self.cluster.make_namespace()
        self.outputs("deleteNamespace", name=name)
        self.assertEqual(self.outputs("getNamespace", name=name)["status"]["phase"], "Terminating")
        error = self.error("createConfigMap", namespace=name, body={"metadata": {"name": "late"}})
        self.assertIn("because it is being terminated", error)
        self.assertNotIn("kubernetesActions", error)  # no right is missing here
        self.assertIn("already exists", self.error("createNamespace", body={"metadata": {"name": name}}))

    def test_a_quota_refuses_without_advice_about_rights(self):
        self.make(kind="ResourceQuota", spec={"hard": {"count/configmaps": "1"}})
        path = f"{KIND['ResourceQuota'].collection(self.namespace)}/sample/status"
        self.cluster.done("PUT", path, {**self.stored(kind="ResourceQuota"), "status": {
            "hard": {"count/configmaps": "1"}, "used": {"count/configmaps": "1"}}})
        more = {"metadata": {"name": "more"}}
        wait_until(lambda: self.cluster.call("POST", KIND["ConfigMap"].collection(self.namespace), more, dryRun="All")[0] == 403,
                   "the quota in force")
        error = self.error("createConfigMap", body=more)
        self.assertIn("exceeded quota", error)
        self.assertNotIn("kubernetesActions", error)
