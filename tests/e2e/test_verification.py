"""Every row of the verification order and of the checks after it, with the code and text that Datadog gets."""
import base64
import unittest

from harness import Backend, Runner
from servers import http_server

REQUEST = "com.datadoghq.http.request"


def request(url, **more):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url}, **more}


class Table(unittest.TestCase):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        self.runner = self.enterContext(Runner(self.backend, allow=[REQUEST, "com.example.absent.run",
                                                                    "com.datadoghq.http.noSuchAction"]))
        self.server = self.enterContext(http_server())

    def failure(self, task, code, *texts):
        with self.subTest(task.get("overrides", task)):
            done = self.backend.run(task)
            self.assertEqual(done["state"], "failed", done)
            outcome = done["outcome"]
            self.assertEqual(outcome["error_code"], code, outcome)
            for text in texts:
                self.assertIn(text, outcome["error_details"])
            self.assertTrue(outcome["api_error"])
            self.assertEqual(done["publishes"], 1)

    def test_envelopes_that_are_not_in_order_are_refused_each_with_its_code(self):
        task = lambda **overrides: request(self.server.url, overrides=overrides)
        self.failure(task(no_envelope=True), 1, "envelope")
        self.failure(task(empty_data=True), 1, "no data")
        self.failure(task(no_signatures=True), 1, "no signature")
        self.failure(task(hash_type=0), 1, "hash type")
        self.failure(task(signed_data=base64.b64encode(b"\xff\xff not a task").decode()), 1, "not a task")
        self.failure(task(no_expiry=True), 1, "expiration")
        self.failure(task(expires_in_seconds=-5), 6, "expired")
        self.failure(task(key_id="unheard-of"), 4, "unheard-of")
        self.failure(task(key_type=1), 5, "X509_RSA")
        self.failure(task(damage_signature=True), 5, "signature")
        self.failure(task(org_id=1), 7, "organisation 1")
        self.failure(task(runner_id="runner-of-somebody-else"), 8, "runner-of-somebody-else")
        self.failure(task(no_connection=True), 8, "connection")
        self.failure(task(outer_task_id="another"), 5)
        self.failure(task(outer_action="com.datadoghq.http.another"), 5)
        self.assertEqual(self.server.requests, [])

    def test_the_first_known_signature_decides(self):
        self.backend.put_key("second", type="rsa", published=True)
        key = next(key["id"] for key in self.backend.call("GET", "/keys")["keys"] if key["id"] != "second")
        good = request(self.server.url, overrides={"signatures": [{"key": key, "key_id": "nobody"}, {"key": key}]})
        self.assertEqual(self.backend.run(good)["state"], "succeeded")
        self.failure(request(self.server.url, overrides={"signatures": [{"key": key, "damage": True}, {"key": key}]}), 5)

    def test_checks_after_the_signature(self):
        url = self.server.url
        self.failure({"action": "com.datadoghq.jenkins.deleteJenkinsJob", "inputs": {}}, 2,
                     "com.datadoghq.jenkins.deleteJenkinsJob", "actionsAllowlist")
        self.failure({"action": "com.example.absent.run", "inputs": {}}, 1, "com.example.absent")
        self.failure({"action": "com.datadoghq.http.noSuchAction", "inputs": {}}, 1, "noSuchAction")
        self.failure({"action": REQUEST, "inputs": {"verb": "GET"}}, 2, "url")
        self.failure({"action": REQUEST, "inputs": {"verb": "GET", "url": 7}}, 2, "url")
        self.failure(request(url, connection={"auth": "oauth2"}), 1, "OAUTH2")
        self.failure(request(url, connection={"auth": "unspecified"}), 1)
        self.failure(request(url, connection={"auth": "token", "tokens": [
            {"name": "root_tokens.key", "file": "/nowhere/token.json"}]}), 1, "/nowhere/token.json")
        self.failure(request("http://127.0.0.1:1/"), 2)
        self.assertEqual(self.server.requests, [])

    def test_a_task_without_address_is_logged_and_not_published(self):
        for overrides in ({"no_job_id": True}, {"no_attributes": True}):
            self.backend.enqueue(request(self.server.url, overrides=overrides))
        self.assertEqual(self.backend.run(request(self.server.url))["state"], "succeeded")
        self.assertEqual(self.backend.statistics()["published"], 1)
        self.assertIn("job id", self.runner.text())

    def test_a_forbidden_action_opens_no_credential_file(self):
        done = self.backend.run({"action": "com.datadoghq.postgresql.select", "inputs": {}, "connection": {
            "auth": "token", "tokens": [{"name": "root_tokens.password", "file": "/nowhere/secret.json"}]}})
        self.assertEqual(done["outcome"]["error_code"], 2)
        self.assertNotIn("/nowhere", str(done["outcome"]) + self.runner.text())

    def test_garbage_instead_of_a_task_is_an_error_of_the_call_only(self):
        for body in ("garbage", "{}x", "[1", '{"data": 7}'):
            self.backend.enqueue(request(self.server.url, overrides={"body": body}))
        self.assertEqual(self.backend.run(request(self.server.url))["state"], "succeeded")
        self.assertEqual(self.backend.statistics()["published"], 1)


class Replay(unittest.TestCase):
    def test_one_task_and_job_runs_once(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server() as server:
            task = request(server.url, deliveries=3, overrides={"job_id": "job-1"})
            backend.run(task)
            runner.wait_log("handed out again")
            self.assertEqual(backend.run(request(server.url))["state"], "succeeded")
            self.assertEqual(len(server.requests), 2)

    def test_the_same_task_in_another_job_runs_again(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            backend.enqueue(request(server.url, deliveries=2))
            backend.wait_published(2)
            self.assertEqual(len(server.requests), 2)
