"""A server that is down, silent, cut off or too busy: the real one behind a relay where that can show it, else a fake one."""
import json
import secrets
import threading
import time

import servers
from harness import free_port
from kubernetes_cluster import KubernetesCase, context, kubeconfig_of

SERVICES = ["kubernetes"]


class Relayed(KubernetesCase):
    """The way to the real server leads through a relay."""

    TOGETHER = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_with_kubeconfig("", context("one"))

    def setUp(self):
        super().setUp()
        self.relay = self.enterContext(servers.relay(self.cluster.host, self.cluster.port))
        self.lead_to(self.relay.port)

    def lead_to(self, port):
        token, ca = (self.cluster.directory / "tokens/par-admin").read_text(), self.cluster.variables["PAR_K8S_CA"]
        self.home.write(kubeconfig_of(f"https://127.0.0.1:{port}", {"token": token}, **{"certificate-authority": ca}))

    def works(self):
        self.outputs("getNamespace", name=self.namespace)

    def test_tasks_of_the_same_cluster_share_connections(self):
        for _ in range(20):
            self.works()
        self.assertLessEqual(self.relay.connections, 2)
        for outcome in self.outcomes([self.task("getNamespace", {"name": self.namespace})] * 40):
            self.assertNotIn("error_code", outcome)
        self.assertLessEqual(self.relay.connections, 2 + 10)  # one per task that runs at once

    def test_a_server_that_is_down(self):
        port = free_port()
        self.lead_to(port)
        error = self.error("getNamespace", name=self.namespace)
        self.assertIn(f"127.0.0.1:{port}", error)
        self.assertIn("refused", error)
        self.lead_to(self.relay.port)
        self.works()

    def test_a_server_that_hangs(self):
        self.relay.silent = True
        started = time.monotonic()
        for action, inputs in (("getNamespace", {"name": self.namespace}),
                               ("deleteConfigMap", {"namespace": self.namespace, "name": "x"})):
            error = self.error(action, code=1, timeout=1, **inputs)
            self.assertIn("time limit of 1 s", error)
        self.assertIn("unknown", error)  # whether the delete took effect
        self.assertLess(time.monotonic() - started, 30)
        self.relay.silent = False
        self.works()

    def test_a_connection_cut_in_the_middle_of_a_body(self):
        for number in range(3):  # half of it remains when it is compressed
            self.cluster.done("POST", f"/api/v1/namespaces/{self.namespace}/configmaps", {
                "metadata": {"name": f"large-{number}"}, "data": {"text": secrets.token_hex(1 << 18)}})
        self.relay.cut_after = 300 << 10
        error = self.error("listConfigMap", namespace=self.namespace, timeout=20)
        self.assertIn(f"127.0.0.1:{self.relay.port}", error)
        self.relay.cut_after = None
        self.assertEqual(len(self.outputs("listConfigMap", namespace=self.namespace)["items"]), 3)

    def test_a_write_whose_answer_is_cut_says_that_it_was_done(self):
        self.relay.cut_after = 100 << 10
        error = self.error("createConfigMap", namespace=self.namespace, timeout=20, body={
            "metadata": {"name": "written"}, "data": {"text": secrets.token_hex(1 << 18)}})
        self.assertIn("the server did it (HTTP status 201)", error)
        self.assertIsNotNone(self.cluster.get(f"/api/v1/namespaces/{self.namespace}/configmaps/written"))


class Fake(KubernetesCase):
    """Answers that a real server cannot be made to give, from a fake one: one after the other, the last one for ever."""

    TOGETHER = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_with_kubeconfig("", context("one"))

    def lead_to(self, url):
        self.home.write(kubeconfig_of(url, {"token": "t"}))

    def start_fake(self, *answers):
        answers = list(answers)
        lock = threading.Lock()

        def answer(handler):
            handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
            with lock:
                status, body, headers = answers.pop(0) if len(answers) > 1 else answers[0]
            servers.reply(handler, status, body, **headers)

        self.fake = self.enterContext(servers.http_server(answer))
        self.lead_to(self.fake.url)

    def asked(self):
        return [(method, path) for method, path, _ in self.fake.requests]

    @staticmethod
    def busy(after="0", status=429):
        body = {"kind": "Status", "message": "too many requests for now"}
        return status, body, {} if after is None else {"Retry_After": after}

    OBJECT = (200, {"metadata": {"name": "x"}}, {})

    def test_a_busy_server_is_asked_again_when_it_says_when(self):
        self.start_fake(self.busy("1"), self.busy("0"), self.busy("0", 503), self.OBJECT)
        started = time.monotonic()
        self.outputs("getConfigMap", namespace="n", name="x")
        self.assertGreaterEqual(time.monotonic() - started, 1)
        self.assertEqual(self.asked(), [("GET", "/api/v1/namespaces/n/configmaps/x")] * 4)

    def test_a_write_is_asked_again_as_well(self):
        self.start_fake(self.busy("0"), (201, {"metadata": {"name": "x"}}, {}))
        self.outputs("createConfigMap", namespace="n", body={"metadata": {"name": "x"}})
        self.assertEqual(self.asked(), [("POST", "/api/v1/namespaces/n/configmaps")] * 2)

    def test_without_a_retry_after_the_answer_is_final(self):
        self.start_fake(self.busy(None))
        self.assertIn("too many requests for now", self.error("getConfigMap", namespace="n", name="x"))
        self.assertEqual(len(self.asked()), 1)

    def test_after_ten_repetitions_it_is_the_result(self):
        self.start_fake(self.busy("0"))
        self.assertIn("too many requests for now", self.error("getConfigMap", namespace="n", name="x"))
        self.assertEqual(len(self.asked()), 11)

    def test_a_wait_beyond_the_limit_of_the_task_is_not_begun_or_ends_with_it(self):
        self.start_fake(self.busy("3600"))
        outcome = self.outcome("getConfigMap", namespace="n", name="x", timeout=2)
        self.assertIn("too many requests for now", outcome["error_details"])
        self.assertEqual(len(self.asked()), 1)

    def test_odd_answers(self):
        for answer, words in (
                ((500, ["no status"], {}), ["get", "configmaps", "500"]),
                ((404, {"kind": "Status"}, {}), ["get", "configmaps", "404"]),
                ((200, ["no object"], {}), ["no ConfigMap"]), ((302, {}, {"Location": "/elsewhere"}), ["redirect"])):
            with self.subTest(answer=answer):
                self.start_fake(answer)
                error = self.error("getConfigMap", namespace="n", name="x")
                for word in words:
                    self.assertIn(word, error)

    def test_what_vanishes_while_many_are_deleted_counts_as_deleted(self):
        forbidden = (403, {"kind": "Status", "reason": "Forbidden", "message": "cannot deletecollection"}, {})
        listed = (200, {"metadata": {}, "items": [{"metadata": {"name": name, "namespace": "n"}} for name in ("a", "b", "c")]}, {})
        deleted = (200, {"kind": "Status", "status": "Success"}, {})
        gone = (404, {"kind": "Status", "reason": "NotFound", "message": "not found"}, {})
        failed = (500, {"kind": "Status", "message": "the disk is full"}, {})
        self.start_fake(forbidden, listed, deleted, gone, deleted, forbidden, listed, deleted, gone, failed)
        self.assertEqual(self.outputs("deleteMultipleConfigMaps", namespace="n"), {})
        path = "/api/v1/namespaces/n/configmaps"
        way = [("DELETE", path), ("DELETE", f"{path}/a"), ("DELETE", f"{path}/b"), ("DELETE", f"{path}/c")]
        self.assertEqual([(method, target.split("?")[0]) for method, target in self.asked() if method == "DELETE"], way)
        error = self.error("deleteMultipleConfigMaps", namespace="n")
        self.assertIn("the disk is full", error)
        self.assertRegex(error, r"\b1\b")

    def test_a_body_that_is_cut_off_in_plain_text(self):
        def torn(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(json.dumps({"metadata": {}})[:-1].encode())
            handler.close_connection = True

        with servers.http_server(torn) as fake:
            self.lead_to(fake.url)
            self.assertIn(f"127.0.0.1:{fake.port}", self.error("getConfigMap", namespace="n", name="x"))
