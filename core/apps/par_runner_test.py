"""The commands of the built program, as an operator or a container calls them: par_runner_test.py PROGRAM."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
PATIENCE = 60


@contextlib.contextmanager
def serving(status):
    """A local server that answers every GET with `status`; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"path": self.path}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Commands(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="par-cli-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.environment = {"DD_PRIVATE_RUNNER_CONFIG_DIR": directory.name,
                            **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}

    def configure(self, text):
        (self.directory / "config.yaml").write_text(text)

    def call(self, *arguments, **variables):
        return subprocess.run([PROGRAM, *arguments], env={**self.environment, **variables}, capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL)

    def test_unknown_arguments_print_the_usage_on_standard_error_and_exit_2(self):
        for arguments in (["--frobnicate"], ["run"], ["--check", "--version"], ["--json"]):
            done = self.call(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn("usage: par-runner", done.stderr)

    def test_help_and_version_are_results(self):
        done = self.call("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("exit codes", done.stdout)
        done = self.call("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^par-runner \d+\.\d+\.\d+\n$")

    def test_actions_are_listed_without_configuration_or_identity(self):
        done = self.call("--list-actions")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        names = done.stdout.splitlines()
        self.assertIn("com.datadoghq.http.request", names)
        self.assertEqual(names, sorted(names))
        actions = json.loads(self.call("--list-actions", "--json").stdout)
        self.assertEqual([action["name"] for action in actions], names)
        self.assertNotIn("allowed", actions[0])
        self.assertTrue(all(action["summary"] and pathlib.Path(action["library"]).is_file() for action in actions))

    def test_listed_actions_tell_whether_the_configuration_allows_them(self):
        self.configure("actionsAllowlist: [com.datadoghq.http.request]\n")
        actions = {action["name"]: action for action in json.loads(self.call("--list-actions", "--json").stdout)}
        self.assertTrue(actions["com.datadoghq.http.request"]["allowed"])

    def test_a_broken_configuration_does_not_keep_actions_from_being_listed(self):
        self.configure("port: [\n")
        done = self.call("--list-actions")
        self.assertEqual(done.returncode, 0)
        self.assertIn("com.datadoghq.http.request", done.stdout)
        self.assertIn("config.yaml:", done.stderr)

    def test_a_broken_library_is_named_and_fails_the_listing(self):
        (self.directory / "com.example.broken.so").write_text("no library")
        done = self.call("--list-actions", PAR_PLUGINS_DIRECTORY=str(self.directory))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("com.example.broken.so", done.stderr)

    def test_healthcheck_asks_the_configured_port(self):
        with serving(200) as port:
            self.configure(f"port: {port}\n")
            done = self.call("--healthcheck")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "alive\n", ""))
        with serving(503) as port:
            done = self.call("--healthcheck", PAR_PORT=str(port))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn('503 Service Unavailable {"path": "/liveness"}', done.stderr)
        done = self.call("--healthcheck", PAR_PORT=str(port))
        self.assertEqual(done.returncode, 1)
        self.assertIn("Connection refused", done.stderr)
        done = self.call("--healthcheck", PAR_PORT="0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("port: 0", done.stderr)

    def test_the_service_says_in_its_log_why_it_cannot_start(self):
        done = self.call()
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertIn("this runner has no identity", lines[-1]["message"])
        self.configure("urn: CHANGE_ME_URN_FROM_CONFIG\nprivateKey: CHANGE_ME_PRIVATE_KEY_FROM_CONFIG\n")
        self.assertIn("placeholder", self.call().stdout)
        self.configure("port: x\n")
        done = self.call()
        self.assertEqual(done.returncode, 1)
        self.assertIn("config.yaml:1: port", json.loads(done.stdout)["message"])

    def test_check_reports_each_finding_on_a_line_and_fails_on_the_first_thing_that_stops_a_runner(self):
        self.configure("actionAllowlist: []\n")
        done = self.call("--check")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        for line in done.stdout.splitlines():
            self.assertRegex(line, r"^(ok  |warn|FAIL)  [a-z]+ +\S")
        self.assertIn('did you mean "actionsAllowlist"?', done.stdout)
        self.assertIn("FAIL  identity", done.stdout)
        self.configure("a: [\n")
        done = self.call("--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL  configuration", done.stdout)

    def test_the_process_leaves_no_core_dump_and_survives_closed_pipes(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            process = subprocess.Popen([PROGRAM, "--healthcheck"], stderr=subprocess.DEVNULL,
                                       env={**self.environment, "PAR_PORT": str(silent.getsockname()[1])})
            connection, _ = silent.accept()
            with connection:
                limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            self.assertEqual(process.wait(PATIENCE), 1)
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        self.assertRegex(status, r"Umask:\s+0077")
        ignored = int(re.search(r"SigIgn:\s+(\w+)", status)[1], 16)
        self.assertTrue(ignored >> (signal.SIGPIPE - 1) & 1, status)


if __name__ == "__main__":
    unittest.main()
