"""par-runner invoke: one action with the real plugin, services, policy and limits, and without Datadog."""
import base64
import json
import unittest

from harness import BUILD, Backend, Runner, basic_auth
from servers import http_server

REQUEST = "com.datadoghq.http.request"
ODD = "com.example.misbehaving"


class Invoke(unittest.TestCase):
    def setUp(self):
        self.runner = Runner(self.enterContext(Backend()), allow=[REQUEST], config={
            "pluginsDirectory": f"{BUILD / 'plugins'}:{BUILD / 'test-plugins' / 'misbehaving'}"})
        self.addCleanup(self.runner.close)

    def invoke(self, action, inputs, *arguments):
        file = self.runner.directory / "inputs.json"
        file.write_text(inputs if isinstance(inputs, str) else json.dumps(inputs))
        return self.runner.command("invoke", action, "--inputs", str(file), *arguments)

    def test_it_runs_the_action_with_its_credentials_and_says_what_the_allowlist_decides(self):
        with http_server() as server:
            credentials = self.runner.write_credentials("invoke.json", basic_auth(ada="correct horse"))
            done = self.invoke(REQUEST, {"verb": "GET", "url": f"{server.url}/x"}, "--connection", credentials)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["body"], {"path": "/x"})
            self.assertIn(f"actionsAllowlist: allows {REQUEST}", done.stderr)
            expected = base64.b64encode(b"ada:correct horse").decode()
            self.assertEqual(server.requests[0][2].get("Authorization"), f"Basic {expected}")
            self.assertNotIn("correct horse", done.stdout + done.stderr)

    def test_the_policy_holds(self):
        self.runner.write_config(allowlist=["other.example"])
        done = self.invoke(REQUEST, {"verb": "GET", "url": "http://127.0.0.1:9/"})
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertIn("error code 2", done.stderr)
        self.assertIn("allowlist", done.stderr.split("failed with", 1)[1])

    def test_limits_hold_and_an_action_outside_the_allowlist_is_run_and_said(self):
        done = self.invoke(f"{ODD}.never_returns", {"timeout": 1})
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("time limit of 1 s", done.stderr)
        self.assertIn(f"does not allow {ODD}.never_returns", done.stderr)

    def test_what_is_wrong_is_named(self):
        for action, inputs, arguments, text in (
                ("request", {}, (), "expected a full name"),
                ("com.example.absent.do", {}, (), "com.example.absent.so"),
                ("com.datadoghq.http.fetch", {}, (), "no action fetch"),
                (REQUEST, "{", (), "Missing a name for object member"),
                (REQUEST, {"verb": "GET"}, (), "url"),
                (REQUEST, {"verb": "GET", "url": "http://127.0.0.1:9/"}, ("--connection", "/nowhere.json"), "/nowhere.json")):
            with self.subTest(text):
                done = self.invoke(action, inputs, *arguments)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(text, done.stderr)
        self.assertEqual(self.runner.command("invoke", REQUEST).returncode, 2)
        self.assertEqual(self.runner.command("--check", "--inputs", "x").returncode, 2)
