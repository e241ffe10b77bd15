"""Credentials: read from files at each task, and never seen where they do not belong."""
import base64
import json
import pathlib
import unittest

from harness import Backend, Runner, basic_auth, token_auth
from servers import http_server, reply

REQUEST = "com.datadoghq.http.request"


class Credentials(unittest.TestCase):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        self.runner = self.enterContext(Runner(self.backend, allow=[REQUEST]))
        self.server = self.enterContext(http_server())
        self.canary = self.runner.canaries.make("apiKey")

    def run_with(self, connection, url=None):
        return self.backend.run({"action": REQUEST, "inputs": {"verb": "GET", "url": url or self.server.url},
                                 "connection": connection})

    def test_a_token_reaches_the_server_and_no_log(self):
        path = self.runner.write_credentials("token.json", token_auth(apiKey=self.canary))
        done = self.run_with({"auth": "token", "tokens": [
            {"name": "root_tokens.apiKey", "file": path},
            {"name": "headers.X-Api-Key", "plain_text": "key {{ apiKey }}"}]})
        self.assertEqual(done["state"], "succeeded", done)
        self.assertEqual(self.server.requests[0][2]["X-Api-Key"], f"key {self.canary}")
        self.runner.assert_no_canary(json.dumps(done["outcome"]))

    def test_a_password_is_found_by_its_user(self):
        path = self.runner.write_credentials("basic.json", basic_auth(other="x", deploy=self.canary))
        done = self.run_with({"auth": "basic", "tokens": [
            {"name": "root_tokens.username", "plain_text": "deploy"}, {"name": "root_tokens.password", "file": path}]})
        self.assertEqual(done["state"], "succeeded", done)
        sent = base64.b64decode(self.server.requests[0][2]["Authorization"].removeprefix("Basic ")).decode()
        self.assertEqual(sent, f"deploy:{self.canary}")

    def test_an_error_text_that_would_quote_a_secret_is_redacted(self):
        path = self.runner.write_credentials("token.json", token_auth(apiKey=self.canary))

        def echo(handler):
            reply(handler, 500, {"you sent": handler.headers["X-Api-Key"]})

        with http_server(echo) as server:
            done = self.run_with({"auth": "token", "tokens": [
                {"name": "root_tokens.apiKey", "file": path},
                {"name": "headers.X-Api-Key", "plain_text": "{{ apiKey }}"}]}, server.url)
        self.assertEqual(done["state"], "failed")
        self.runner.assert_no_canary()
        self.assertIn("[redacted]", json.dumps(done["outcome"]))

    def test_a_changed_file_counts_for_the_next_task(self):
        for value in ("first-value", "second-value"):
            path = self.runner.write_credentials("token.json", token_auth(apiKey=value))
            self.run_with({"auth": "token", "tokens": [
                {"name": "root_tokens.apiKey", "file": path}, {"name": "headers.X-Key", "plain_text": "{{apiKey}}"}]})
        self.assertEqual([headers["X-Key"] for _, _, headers in self.server.requests], ["first-value", "second-value"])

    def test_a_missing_name_is_an_error_that_lists_the_names(self):
        path = self.runner.write_credentials("token.json", token_auth(present=self.canary))
        outcome = self.run_with({"auth": "token", "tokens": [
            {"name": "root_tokens.absent", "file": path}]})["outcome"]
        self.assertEqual(outcome["error_code"], 1)
        for part in (path, "absent", "present"):
            self.assertIn(part, outcome["error_details"])
        self.assertEqual(self.server.requests, [])

    def test_a_path_of_another_layout_is_found_by_its_name(self):
        self.runner.write_credentials("token.json", token_auth(apiKey="value-1"))
        done = self.run_with({"auth": "token", "tokens": [
            {"name": "root_tokens.apiKey", "file": "/etc/dd-action-runner/creds-of-old/token.json"},
            {"name": "headers.X-Key", "plain_text": "{{apiKey}}"}]})
        self.assertEqual(done["state"], "succeeded", done)
        self.assertIn("token.json", self.runner.text())


class Process(unittest.TestCase):
    def test_the_private_key_stands_in_no_log_and_no_process_list(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server() as server:
            backend.run({"action": REQUEST, "inputs": {"verb": "GET", "url": server.url}})
            key = backend.private_key
            arguments = pathlib.Path(f"/proc/{runner.process.pid}/cmdline").read_bytes()
            self.assertNotIn(key.encode(), arguments)
            self.assertNotIn(key, runner.text())
            limits = pathlib.Path(f"/proc/{runner.process.pid}/limits").read_text()
            core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
            self.assertEqual(core.split()[4], "0")

    def test_identity_may_come_from_the_environment_alone(self):
        with Backend() as backend, http_server() as server, \
                Runner(backend, allow=[REQUEST], config={"urn": None, "privateKey": None},
                       environment={"RUNNER_URN": backend.urn, "RUNNER_PRIVATE_KEY": backend.private_key}):
            done = backend.run({"action": REQUEST, "inputs": {"verb": "GET", "url": server.url}})
            self.assertEqual(done["state"], "succeeded", done)
