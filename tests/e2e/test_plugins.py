"""Plugins that are wrong, or slow, or hang: each gives its own message, and the runner goes on."""
import hashlib
import json
import pathlib
import shutil
import tempfile
import unittest

from harness import BUILD, Backend, Runner

FIXTURES = BUILD / "test-plugins"
ECHO = "com.example.echo"
ODD = "com.example.misbehaving"


def directories(*variants):
    return ":".join(str(FIXTURES / variant) for variant in (*variants, "echo"))


class Broken(unittest.TestCase):
    def test_a_library_that_cannot_be_used_fails_its_tasks_and_nothing_else(self):
        texts = {"wrong_magic": "wrong magic", "wrong_major": "ABI 2", "no_symbol": "par_plugin_v1",
                 "short_table": "too short", "foreign_manifest": "manifest()", "missing_library": "undefined symbol",
                 "open_fails": "licence"}
        for variant, text in texts.items():
            with self.subTest(variant), Backend() as backend, \
                    Runner(backend, allow=["com.example.broken.*", f"{ECHO}.*"],
                           config={"pluginsDirectory": directories(variant)}):
                outcome = backend.run({"action": "com.example.broken.run"})["outcome"]
                self.assertEqual(outcome["error_code"], 1, outcome)
                self.assertIn(text, outcome["error_details"])
                self.assertEqual(backend.run({"action": f"{ECHO}.echo", "inputs": {"text": "still here"}})["state"],
                                 "succeeded")

    def test_a_pinned_library_is_loaded_with_the_right_content_only(self):
        with Backend() as backend:
            right = Runner(backend, allow=[f"{ECHO}.*"], config={"pluginsDirectory": directories()})
            self.addCleanup(right.close)
            listed = json.loads(right.command("--list-actions", "--json").stdout)
            hashes = {entry["sha256"] for entry in listed if entry["library"].endswith(f"{ECHO}.so")}
            self.assertEqual(hashes, {hashlib.sha256((FIXTURES / "echo" / f"{ECHO}.so").read_bytes()).hexdigest()})
            for pinned, state in ((hashes.pop(), "succeeded"), ("0" * 64, "failed")):
                with self.subTest(state), Runner(backend, allow=[f"{ECHO}.*"], config={
                        "pluginsDirectory": directories(), "pluginHashes": {ECHO: pinned}}):
                    done = backend.run({"action": f"{ECHO}.echo", "inputs": {"text": "x"}})
                    self.assertEqual(done["state"], state, done)
                    if state == "failed":
                        self.assertIn("pluginHashes expects", done["outcome"]["error_details"])

    def test_nothing_is_loaded_from_where_everybody_can_write(self):
        with Backend() as backend, tempfile.TemporaryDirectory() as directory:
            shutil.copy(FIXTURES / "echo" / f"{ECHO}.so", directory)
            for path in (pathlib.Path(directory), pathlib.Path(directory, f"{ECHO}.so")):
                mode = path.stat().st_mode
                path.chmod(mode | 0o002)
                with self.subTest(path), Runner(backend, allow=[f"{ECHO}.*"], config={"pluginsDirectory": directory}):
                    done = backend.run({"action": f"{ECHO}.echo", "inputs": {"text": "x"}})
                    self.assertEqual(done["state"], "failed", done)
                    self.assertIn("chmod o-w", done["outcome"]["error_details"])
                path.chmod(mode)

    def test_a_misnamed_library_is_reported_at_start(self):
        with Backend() as backend, Runner(backend, allow=["com.example.other.run"],
                                          config={"pluginsDirectory": directories("misnamed")}) as runner:
            outcome = backend.run({"action": "com.example.other.run"})["outcome"]
            self.assertEqual(outcome["error_code"], 1)
            self.assertIn("com.example.broken.so", outcome["error_details"])
            self.assertIn("com.example.broken.so", runner.text())


class Contract(unittest.TestCase):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        self.runner = self.enterContext(Runner(self.backend, allow=[f"{ECHO}.*", f"{ODD}.*"],
                                               config={"pluginsDirectory": directories("misbehaving"),
                                                       "drainTimeoutSeconds": 1}))

    def outcome(self, action, **inputs):
        return self.backend.run({"action": f"{ODD}.{action}", "inputs": inputs})["outcome"]

    def test_a_broken_contract_is_an_internal_error(self):
        for action in ("no_result", "invalid_json", "lone_surrogate", "throws"):
            with self.subTest(action):
                self.assertEqual(self.outcome(action)["error_code"], 1)
        self.assertIn("misbehaviour", self.runner.text())
        done = self.backend.run({"action": f"{ECHO}.echo", "inputs": {"text": "ü"}})
        self.assertEqual(done["state"], "succeeded", done)

    def test_a_call_that_never_returns_is_given_up_and_its_place_taken(self):
        outcome = self.outcome("never_returns", timeout=1)
        self.assertEqual(outcome["error_code"], 1, outcome)
        self.assertIn("time limit of 1 s", outcome["error_details"])
        self.assertIn("unknown", outcome["error_details"])
        for _ in range(3):
            done = self.backend.run({"action": f"{ECHO}.echo", "inputs": {"text": "next"}})
            self.assertEqual(done["state"], "succeeded")
        self.assertEqual(self.runner.stop(), 0)

    def test_what_sleeps_past_its_limit_in_wait_ends_at_the_limit(self):
        outcome = self.outcome("sleeps_in_wait", timeout=1)
        self.assertEqual(outcome["error_code"], 1, outcome)
        self.assertIn("time limit of 1 s", outcome["error_details"])


class Inputs(unittest.TestCase):
    def test_inputs_are_normalised_and_checked_before_the_plugin_sees_them(self):
        with Backend() as backend, Runner(backend, allow=[f"{ECHO}.*"], config={"pluginsDirectory": directories()}):
            done = backend.run({"action": f"{ECHO}.echo", "inputs": {
                "TEXT": "a", "count": 3.0, "items": [{"Key": "k", "flag": None}], "unknown": 1,
                "free": {"KEPT": None, "n": 2.0}}})
            self.assertEqual(done["state"], "succeeded", done)
            inputs = done["outcome"]["outputs"]["inputs"]
            self.assertEqual(inputs, {"text": "a", "count": 3, "items": [{"key": "k"}], "unknown": 1,
                                      "free": {"KEPT": None, "n": 2}})
            refused = backend.run({"action": f"{ECHO}.echo", "inputs": {"items": [{"key": "k"}, {"key": 5}]}})
            self.assertEqual(refused["outcome"]["error_code"], 2)
            self.assertIn("items[1].key", refused["outcome"]["error_details"])
