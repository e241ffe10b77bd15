"""par-runner invoke: one action with the real plugin, services, policy and limits, and without Datadog."""
import base64
import json
import pathlib
import re
import unittest

from harness import BUILD, Backend, Runner, basic_auth, token_auth
from servers import http_server, scripted_server

REQUEST = "com.datadoghq.http.request"
PROBE = "com.datadoghq.http.testConnection"
GUIDE = pathlib.Path(__file__).resolve().parents[2] / "plugin-api" / "README.md"
ODD = "com.example.misbehaving"


class Invoke(unittest.TestCase):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        self.runner = Runner(self.backend, allow=[REQUEST, PROBE], config={
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

    def test_a_connection_counts_with_all_its_members_as_in_a_task(self):
        with scripted_server() as server:
            example = re.search(r"### Connections without Datadog.*?```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
            connection = example.replace("https://tickets.example", server.url)
            (self.runner.directory / "connection.json").write_text(connection)
            (self.runner.directory / "credentials.json").write_text(json.dumps(token_auth(apiKey="key-of-the-test")))
            calls = ((REQUEST, {"verb": "POST", "url": f"{server.url}/tickets", "body": {"title": "Printer on fire"}}), (PROBE, {}))
            for action, inputs in calls:
                done = self.invoke(action, inputs, "--connection", str(self.runner.directory / "connection.json"))
                self.assertEqual(done.returncode, 0, done.stderr)
            request, probe = server.seen("/tickets"), server.seen("/health")
            self.assertEqual([each.target for each in request + probe], ["/tickets?team=payments", "/health?team=payments"])
            self.assertEqual([each.method for each in request + probe], ["POST", "PUT"])
            self.assertEqual([each.header("X-Api-Key") for each in request + probe], ["key-of-the-test"] * 2)
            self.assertEqual(json.loads(request[0].body), {"title": "Printer on fire", "source": "runner"})
            self.assertEqual(json.loads(probe[0].body), {"source": "runner"})

            elsewhere = self.invoke(REQUEST, {"verb": "GET", "url": "http://localhost:9/"},
                                    "--connection", str(self.runner.directory / "connection.json"))
            self.assertIn("its connection is for", elsewhere.stderr)

            with self.runner:
                for action, inputs in calls:
                    done = self.backend.run({"action": action, "inputs": inputs, "connection": json.loads(connection)})
                    self.assertEqual(done["state"], "succeeded", done)
            for path in ("/tickets", "/health"):
                invoked, signed = [(each.target, each.body, [header for header in each.headers if header[0] != "Sec-Datadog"])
                                   for each in server.seen(path)]
                self.assertEqual(invoked, signed)

    def test_what_is_wrong_with_a_connection_is_named_with_its_file_and_member(self):
        file = self.runner.directory / "connection.json"
        for content, text in (
                ("{", "at line 1, column 2"),
                ('["made-up"]', "expected an object, a connection (auth, tokens) or a credential file"),
                ('{"auth_type": "Token Auth"}', "a list called credentials"),
                ('{"auth": "token", "tokens": [{"name": "headers.X", "file": "x"}]}', "connection.tokens[0] (headers.X) must be plain_text"),
                ('{"auth": "oauth2"}', "OAUTH2"),
                ('{"tokens": [{"name": "root_tokens.a", "file": "gone.json"}]}', f"{self.runner.directory}/gone.json does not exist"),
                ('{"auth": "basic", "tokens": []}', "no user name in plain text")):
            with self.subTest(content):
                file.write_text(content)
                done = self.invoke(REQUEST, {"verb": "GET", "url": "http://127.0.0.1:9/"}, "--connection", str(file))
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(text, done.stderr)
                self.assertNotIn("made-up", done.stderr)

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
