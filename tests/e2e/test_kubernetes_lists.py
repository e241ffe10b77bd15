"""Lists: selectors, limits, all namespaces, and answers of many megabytes."""
import os
import pathlib
import unittest

from kubernetes_actions import KIND
from kubernetes_cluster import KubernetesCase

SERVICES = ["kubernetes"]
CONFIG_MAP = KIND["ConfigMap"]
MIB = 1 << 20


class Lists(KubernetesCase):
    TOGETHER = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_with_kubeconfig()

    def setUp(self):
        super().setUp()
        for name, tier in (("a", "one"), ("b", "two"), ("c", "two")):
            self.cluster.make(CONFIG_MAP, name, self.namespace, {"tier": tier, "run": self.namespace})

    def list(self, **inputs):
        answer = self.outputs("listConfigMap", **{"namespace": self.namespace, **inputs})
        return [item["metadata"]["name"] for item in answer["items"]], answer["metadata"]

    def test_selectors_and_limit(self):
        for inputs, expected in (
                ({}, ["a", "b", "c"]), ({"labelSelector": "tier=two"}, ["b", "c"]),
                ({"labelSelector": "tier in (one, three),app!=other"}, ["a"]),
                ({"labelSelector": "!tier"}, []), ({"fieldSelector": "metadata.name=b"}, ["b"]),
                ({"fieldSelector": "metadata.name!=a", "labelSelector": "tier=two", "limit": 0}, ["b", "c"]),
                ({"labelSelector": "", "fieldSelector": ""}, ["a", "b", "c"])):
            with self.subTest(**inputs):
                self.assertEqual(self.list(**inputs)[0], expected)
        names, metadata = self.list(limit=2)
        self.assertEqual((names, metadata["remainingItemCount"]), (["a", "b"], 1))
        self.assertTrue(metadata["continue"])
        self.assertEqual(self.list(limit=2, **{"continue": metadata["continue"]})[0], ["c"])
        self.assertIn("continue key is not valid", self.error("listConfigMap", namespace=self.namespace, **{"continue": "AAAA"}))
        names, metadata = self.list(limit=2, labelSelector="tier=two")
        self.assertEqual(names, ["b", "c"])
        self.assertIn('"data.mode" is not a known field selector',
                      self.error("listConfigMap", namespace=self.namespace, fieldSelector="data.mode=blue"))
        self.assertIn("unable to parse", self.error("listConfigMap", namespace=self.namespace, labelSelector="a in b"))
        self.assertIn("limit", self.error("listConfigMap", namespace=self.namespace, limit="many"))
        self.cluster.make(KIND["Pod"], "placed", self.namespace, spec={**KIND["Pod"].manifest("x")["spec"], "nodeName": "n1"})
        self.cluster.make(KIND["Pod"], "waiting", self.namespace)
        pods = self.outputs("listPod", namespace=self.namespace, fieldSelector="spec.nodeName=n1,status.phase=Pending")["items"]
        self.assertEqual([pod["metadata"]["name"] for pod in pods], ["placed"])

    def test_all_namespaces_and_none(self):
        other = self.cluster.make_namespace()
        self.cluster.make(CONFIG_MAP, "far", other, {"run": self.namespace})
        for inputs in ({}, {"namespace": ""}, {"namespace": None}):
            items = self.outputs("listConfigMap", labelSelector=f"run={self.namespace}", **inputs)["items"]
            self.assertEqual(sorted(item["metadata"]["name"] for item in items), ["a", "b", "c", "far"])
        self.assertEqual(self.list(namespace="no-such-namespace")[0], [])
        items = self.outputs("listNamespace", fieldSelector=f"metadata.name={other}", namespace=other)["items"]
        self.assertEqual([item["metadata"]["name"] for item in items], [other])


class Large(KubernetesCase):
    """Answers as large as may be: 15 ConfigMaps of 800 KiB make 12 MiB."""

    def fill(self, count, label):
        text = "0123456789abcdef" * (800 * 1024 // 16)
        for number in range(count):
            self.cluster.done("POST", CONFIG_MAP.collection(self.namespace), {
                "metadata": {"name": f"{label}-{number:02}", "labels": {"size": label}}, "data": {"text": text}})

    def memory(self, name):
        status = pathlib.Path(f"/proc/{self.runner.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(name + ":"))

    def peak_of(self, selector):
        """The outcome of the list, the size of the server's answer, and by how much the runner's memory grew in between."""
        answer = len(self.cluster.raw("GET", CONFIG_MAP.collection(self.namespace), labelSelector=selector)[1])
        pathlib.Path(f"/proc/{self.runner.process.pid}/clear_refs").write_text("5")
        before = self.memory("VmRSS")
        outcome = self.outcome("listConfigMap", namespace=self.namespace, labelSelector=selector)
        return outcome, answer, self.memory("VmHWM") - before

    def bounded(self, peak, limit, what):
        with open(f"/proc/{self.runner.process.pid}/maps") as maps:
            sanitized = any("asan" in line or "tsan" in line for line in maps)
        if not sanitized:  # their allocators keep what was freed
            self.assertLess(peak, limit, what)

    @unittest.skipUnless(os.access("/proc/self/clear_refs", os.W_OK), "the peak of a process cannot be reset here")
    def test_12_mib_succeed_and_more_than_15_are_refused_in_bounded_memory(self):
        self.start_with_kubeconfig()
        self.fill(1, "small")
        self.outcome("listConfigMap", namespace=self.namespace, labelSelector="size=small")  # everything loaded and connected
        self.fill(15, "fits")
        outcome, answer, peak = self.peak_of("size=fits")
        self.assertGreater(answer, 11.7 * MIB)
        items = outcome["outputs"]["items"]
        self.assertEqual([len(item["data"]["text"]) for item in items], [800 * 1024] * 15)
        self.assertEqual(items[0]["metadata"]["name"], "fits-00")
        self.bounded(peak, 3 * answer, f"{peak / answer:.2f} times the answer of {answer} bytes")

        self.fill(10, "over")
        outcome, answer, peak = self.peak_of("size in (fits, over)")
        self.assertGreater(answer, 19 * MIB)
        self.assertEqual(outcome.get("error_code"), 2, str(outcome)[:500])
        for word in ("limit", "labelSelector", "fieldSelector"):
            self.assertIn(word, outcome["error_details"])
        self.bounded(peak, 2 * 15 * MIB, f"{peak / MIB:.1f} MiB for an answer of {answer / MIB:.1f}")
        some = self.outputs("listConfigMap", namespace=self.namespace, labelSelector="size=over", limit=10)
        self.assertEqual(len(some["items"]), 10)
