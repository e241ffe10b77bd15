"""Enrollment: what the first start of a runner does, what each later one does not do again, and what is left when it goes
wrong in the middle."""
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import tempfile
import unittest

import chart
from harness import BUILD, FAST, PATIENCE, ROOT, Backend, Runner, free_port, program, wait_until
from servers import http_server

REQUEST = "com.datadoghq.http.request"
VARIABLES = {"loopIntervalMs": "PAR_LOOP_INTERVAL_MS", "minBackoffMs": "PAR_MIN_BACKOFF_MS",
             "healthCheckIntervalMs": "PAR_HEALTH_CHECK_INTERVAL_MS"}


class NewRunner(Runner):
    """A runner without identity: all that it is told stands in variables, and it writes config.yaml itself."""

    def __init__(self, backend, environment=None, arguments=()):
        super().__init__(backend, environment={
            "PAR_API_URL": backend.url, "PAR_REMOTE_CONFIG_URL": backend.url, "PAR_PORT": "0",
            "PAR_KEYS_DIRECTORY": backend.keys_directory, "PAR_PLUGINS_DIRECTORY": str(BUILD / "plugins"),
            **{variable: str(FAST[key]) for key, variable in VARIABLES.items()}, **(environment or {})},
            arguments=arguments)
        (self.directory / "credentials").rmdir()
        for name in ("RUNNER_ENROLLMENT_TOKEN", "DD_API_KEY", "DD_APP_KEY"):
            if self.environment.get(name):
                self.canaries.watch(self.environment[name])

    def write_config(self, **changes):
        pass

    def stored(self):
        """config.yaml as text, once it is there. Its private key becomes a canary."""
        path = self.directory / "config.yaml"
        wait_until(path.exists, lambda: f"config.yaml:\n{self.tail()}")
        text = path.read_text()
        self.canaries.watch(value(text, "privateKey"))
        return text

    def run_to_end(self):
        """Starts it, waits for its end, and returns exit code and what this run logged."""
        before = len(self.text())
        self.start()
        code = self.wait_exit()
        self.output.close()
        self.process = None
        return code, self.text()[before:]


def value(config, key):
    return re.search(rf"^\s*{key}: (\S+)$", config, re.MULTILINE)[1]


def by_token(backend, **spec):
    return {"RUNNER_ENROLLMENT_TOKEN": backend.call("POST", "/enrollment-tokens", spec)["token"]}


def by_keys(backend, name="lab", **variables):
    return {"DD_API_KEY": backend.api_key, "DD_APP_KEY": backend.app_key, "RUNNER_NAME": name,
            "ACTIONS_ALLOWLIST": REQUEST, **variables}


def enrolled(backend):
    return backend.call("GET", "/runners")["runners"]


class FirstStart(unittest.TestCase):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        self.server = self.enterContext(http_server())

    def run_task(self):
        done = self.backend.run({"action": REQUEST, "inputs": {"verb": "GET", "url": self.server.url}})
        self.assertEqual(done["state"], "succeeded", done)

    def test_a_token_makes_a_runner_that_works_and_is_made_once(self):
        token = by_token(self.backend, actions=[REQUEST, "com.datadoghq.jenkins.buildJenkinsJob"])
        with NewRunner(self.backend, token) as runner:
            self.run_task()
            text = runner.stored()
            self.assertEqual(stat.S_IMODE((runner.directory / "config.yaml").stat().st_mode), 0o600)
            self.assertEqual(value(text, "urn"), enrolled(self.backend)[0]["urn"])
            self.assertIn("modes: [pull]\n", text)
            self.assertIn(f"actionsAllowlist:\n  - {REQUEST}\n  - com.datadoghq.jenkins.buildJenkinsJob\n", text)
            self.assertEqual(sorted(path.name for path in (runner.directory / "credentials").iterdir()),
                             sorted(path.name for path in (ROOT / "config" / "credentials").glob("*.json")
                                    if path.name.split("_")[0] in ("http", "jenkins")))
            self.assertEqual(sorted(path.name for path in runner.directory.iterdir()),
                             ["config.yaml", "credentials", "log"])
            # The variable stays, as in a compose file; an operator's change of the file counts.
            (runner.directory / "credentials" / "http_token.json").write_text("mine")
            (runner.directory / "config.yaml").write_text(text.replace("com.datadoghq.jenkins.buildJenkinsJob", "com.example.a"))
            self.assertEqual(runner.stop(), 0)
            runner.start()
            self.run_task()
            runner.wait_log("not enrolled again")
            self.assertEqual(runner.stop(), 0)
            # And without it.
            runner.environment["RUNNER_ENROLLMENT_TOKEN"] = None
            runner.start()
            self.run_task()
            self.assertIn("com.example.a", (runner.directory / "config.yaml").read_text())
            self.assertEqual((runner.directory / "credentials" / "http_token.json").read_text(), "mine")
            self.assertEqual(self.backend.statistics()["enrolled"], 1)
            request = self.backend.events("enrollment")[0]
            self.assertNotIn(token["RUNNER_ENROLLMENT_TOKEN"], json.dumps(request))
            # Each dequeue is the new runner's.
            self.assertEqual({event["runner_id"] for event in self.backend.events("dequeue")},
                             {enrolled(self.backend)[0]["runner_id"]})

    def test_keys_make_a_runner_whose_flag_and_variables_may_stay(self):
        with NewRunner(self.backend, by_keys(self.backend, RUNNER_MODES="workflowAutomation,push"),
                       ["--with-api-key"]) as runner:
            self.run_task()
            text = runner.stored()
            self.assertIn("modes: [pull, push]\n", text)
            self.assertIn(f"  - {REQUEST}\n", text)
            self.assertEqual(runner.stop(), 0)
            runner.environment["ACTIONS_ALLOWLIST"] = "com.example.other"
            runner.start()
            self.run_task()
            self.assertEqual([(one["name"], one["modes"]) for one in enrolled(self.backend)], [("lab", ["pull", "push"])])
            self.assertEqual(text, (runner.directory / "config.yaml").read_text())

    def test_a_config_yaml_without_identity_keeps_what_it_says(self):
        runner = NewRunner(self.backend, by_token(self.backend, actions=["com.example.a"]))
        ours = f"# ours\nactionsAllowlist:\n  - {REQUEST}\nurn:\n"
        (runner.directory / "config.yaml").write_text(ours)
        with runner:
            self.run_task()
            text = runner.stored()
            self.assertTrue(text.startswith(ours.removesuffix("urn:\n")), text)
            self.assertNotIn("com.example.a", text)

    def test_two_starts_at_once_in_one_directory_make_one_runner(self):
        self.backend.delays(enrollment=300)
        with NewRunner(self.backend, by_keys(self.backend), ["--with-api-key"]) as runner:
            other = subprocess.Popen([program("par-runner"), "--with-api-key"], env=runner._environment(),
                                     stdout=subprocess.PIPE, text=True)
            try:
                wait_until(lambda: len({event["connection"] for event in self.backend.events("dequeue")}) == 2, runner.tail)
            finally:
                other.send_signal(signal.SIGTERM)
                text, _ = other.communicate(timeout=PATIENCE)
            self.assertEqual(other.returncode, 0, text)
            self.assertEqual(self.backend.statistics()["enrolled"], 1)
            self.assertIn("not enrolled again", text + runner.text())


class Refused(unittest.TestCase):
    """Nothing is stored, the reason and what to do are told, and no secret with it."""

    def setUp(self):
        self.backend = self.enterContext(Backend())

    def refused(self, environment, arguments=()):
        runner = NewRunner(self.backend, environment, arguments)
        self.addCleanup(runner.close)
        code, text = runner.run_to_end()
        self.assertEqual(code, 1, text)
        self.assertFalse((runner.directory / "config.yaml").exists())
        runner.assert_no_canary(text)
        return text

    def test_each_refusal_is_explained(self):
        keys = ["--with-api-key"]
        self.assertIn("take a new token", self.refused({"RUNNER_ENROLLMENT_TOKEN": "nobody-knows-this-one"}).lower())
        self.assertIn("is not valid at", self.refused(by_keys(self.backend, DD_APP_KEY="f" * 40), keys))
        self.backend.call("PUT", "/enrollment", {"may_enroll": False})
        self.assertIn("on_prem_runner_write", self.refused(by_keys(self.backend), keys))
        self.backend.call("PUT", "/enrollment", {"most_runners": 0})
        self.assertIn("as many runners as it may have", self.refused(by_keys(self.backend), keys))
        self.backend.call("PUT", "/enrollment", {})
        with NewRunner(self.backend, by_keys(self.backend), keys) as runner:
            runner.stored()
        text = self.refused(by_keys(self.backend), keys)
        self.assertIn("runner called", text)
        self.assertIn("RUNNER_NAME", text)
        # What has the wrong form is not even sent.
        before = len(self.backend.events("enrollment"))
        self.assertIn("DD_API_KEY has", self.refused(by_keys(self.backend, DD_API_KEY="x" * 32), keys))
        self.assertIn("DD_API_KEY is not set", self.refused({}, keys))
        self.assertIn("RUNNER_ENROLLMENT_TOKEN", self.refused({}))
        self.assertEqual(len(self.backend.events("enrollment")), before)

    def test_an_answer_that_is_lost_or_unreadable_is_not_asked_for_again(self):
        unknown = "may have made the runner"
        for fault, told in (({"reset": True, "process": True}, unknown), ({"truncate": 20}, unknown),
                            ({"body": "{}", "status": 200}, unknown), ({"status": 503}, unknown),
                            ({"status": 408, "process": True}, unknown),
                            ({"redirect": "https://api.us5.datadoghq.com/elsewhere?key=hidden"},
                             "set DD_BASE_URL to https://us5.datadoghq.com"),
                            ({"redirect": "/login?key=hidden"}, f"{self.backend.url} redirects to another path of its own"),
                            ({"status": 302}, "no Location header")):
            with self.subTest(fault):
                self.backend.clear_faults()
                self.backend.fault("enrollment", **fault)
                before = len(self.backend.events("enrollment"))
                text = self.refused(by_token(self.backend))
                self.assertIn(told, text)
                self.assertIn("token", text)
                self.assertNotIn("hidden", text)
                self.assertEqual(len(self.backend.events("enrollment")), before + 1)

    def test_a_directory_that_cannot_be_written_costs_no_token(self):
        token = by_token(self.backend, actions=[REQUEST])
        options = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        runner = NewRunner(self.backend, token)
        self.addCleanup(runner.close)
        closed = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        closed.chmod(0o555)
        environment = {**runner._environment(), "DD_PRIVATE_RUNNER_CONFIG_DIR": str(closed), "SSL_CERT_FILE": ""}
        for directory, advice in ((closed, f"chown 65534:65534 {closed}" if options else "chown "),
                                  (closed / "missing", f"mkdir -p {closed}/missing && chown ")):
            environment["DD_PRIVATE_RUNNER_CONFIG_DIR"] = str(directory)
            done = subprocess.run([program("par-runner")], env=environment, capture_output=True, text=True,
                                  timeout=PATIENCE, **options)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(advice, done.stdout)
            self.assertIn("Nothing was sent", done.stdout)
        self.assertEqual(self.backend.events("enrollment"), [])
        with runner:
            runner.stored()
            self.assertEqual(len(enrolled(self.backend)), 1)


class Interrupted(unittest.TestCase):
    def test_while_datadog_cannot_be_reached_it_is_tried_again(self):
        port = free_port()
        with Backend("--port", port) as backend:
            token = by_token(backend, actions=[REQUEST])
            runner = NewRunner(backend, by_keys(backend), ["--with-api-key"])
            backend.stop()
            with runner:
                runner.wait_log("tried again")
                # A stop in between ends it; nothing is stored and nothing was sent.
                self.assertEqual(runner.stop(), 0)
                self.assertFalse((runner.directory / "config.yaml").exists())
                runner.start()
                runner.wait_log("tried again")
                backend.start()
                runner.stored()
                runner.wait_polling()
                self.assertEqual(len(backend.events("enrollment")), 1)
                self.assertEqual(len(enrolled(backend)), 1)
            self.assertTrue(token)

    def test_a_stop_while_the_answer_is_under_way_keeps_the_identity(self):
        with Backend() as backend, http_server() as server:
            backend.delays(enrollment=700)
            with NewRunner(backend, by_token(backend, actions=[REQUEST])) as runner:
                backend.wait_event("enrollment")
                self.assertEqual(runner.stop(), 0)
                text = runner.stored()
                self.assertEqual(value(text, "urn"), enrolled(backend)[0]["urn"])
                self.assertEqual(backend.statistics()["dequeues"], 0)
                backend.delays()
                runner.start()
                done = backend.run({"action": REQUEST, "inputs": {"verb": "GET", "url": server.url}})
                self.assertEqual(done["state"], "succeeded", done)
                self.assertEqual(len(enrolled(backend)), 1)

    def test_killed_while_the_answer_is_under_way_the_next_start_says_what_to_do(self):
        with Backend() as backend:
            backend.delays(enrollment=5000)
            for environment, arguments, advice in ((by_token(backend), [], "delete it there"),
                                                   (by_keys(backend), ["--with-api-key"], "delete it in Datadog")):
                with NewRunner(backend, environment, arguments) as runner:
                    runs = len(backend.events("enrollment"))
                    wait_until(lambda: len(backend.events("enrollment")) > runs, runner.tail)
                    runner.process.kill()
                    runner.wait_exit()
                    runner.output.close()
                    runner.process = None
                    self.assertEqual([path.name for path in runner.directory.iterdir()], ["log"])
                    backend.delays()
                    code, text = runner.run_to_end()
                    self.assertEqual(code, 1)
                    self.assertIn(advice, text)
                    backend.delays(enrollment=5000)


class Printed(unittest.TestCase):
    """--enroll: the result alone on standard output, in each format; the configuration directory stays as it was."""

    def setUp(self):
        self.backend = self.enterContext(Backend())

    def enroll(self, *arguments, environment=None, **options):
        runner = NewRunner(self.backend, environment if environment is not None else by_token(
            self.backend, actions=[REQUEST, "com.datadoghq.kubernetes.core.listPod"]))
        self.addCleanup(runner.close)
        return runner.command(*arguments, **options)

    def test_each_format_is_a_result_that_works(self):
        done = self.enroll("--enroll")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("# Written by par-runner"), done.stdout)
        self.assertEqual(value(done.stdout, "urn"), enrolled(self.backend)[0]["urn"])
        self.assertIn("enrolled", done.stderr)
        self.assertNotIn(value(done.stdout, "privateKey"), done.stderr)

        # As config.yaml it is complete; an identity that is there is printed, whatever else is given, and not made anew.
        count = len(enrolled(self.backend))
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory, "config.yaml").write_text(done.stdout)
            again = self.enroll("--enroll-and-print-config", "-f", "env", environment={
                **by_token(self.backend), "DD_PRIVATE_RUNNER_CONFIG_DIR": directory})
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertIn("not enrolled again", again.stderr)
            self.assertEqual(os.listdir(directory), ["config.yaml"])
        lines = dict(line.split("=", 1) for line in again.stdout.splitlines())
        self.assertEqual(list(lines), ["RUNNER_URN", "RUNNER_PRIVATE_KEY", "DD_BASE_URL", "RUNNER_MODES", "ACTIONS_ALLOWLIST"])
        self.assertEqual(lines["RUNNER_PRIVATE_KEY"], value(done.stdout, "privateKey"))
        self.assertEqual(len(enrolled(self.backend)), count)

        # These variables are an identity that Datadog's side accepts.
        check = self.enroll("--check", environment=lines)
        self.assertIn("accepts this runner", check.stdout)

    def test_a_file_gets_mode_0600(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "new/values.yaml")
            done = self.enroll("--enroll", "-f", "helm-values", "-o", str(path))
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            self.assertIn("kubernetesActions:", path.read_text())

    def test_where_the_result_cannot_go_nothing_is_spent(self):
        runner = NewRunner(self.backend, by_token(self.backend))
        self.addCleanup(runner.close)
        shell = 'exec "$0" --enroll '
        for redirection, told in ((">&-", "is closed"), (">/dev/null", "/dev/null"), ("1</dev/null", "cannot be written to"),
                                  ("-o /proc/no/values.yaml", "could not be stored"), ("-o /dev/stdout", "leave it out"),
                                  (f"-o {runner.directory}", "expected the name of a file")):
            with self.subTest(redirection):
                done = subprocess.run(["sh", "-c", shell + redirection, program("par-runner")], env=runner._environment(),
                                      capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(told, done.stderr)
                self.assertIn("othing was sent", done.stderr)
        with self.subTest("a pipe that nobody reads"):
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run([program("par-runner"), "--enroll"], env=runner._environment(), stdout=writer,
                                  stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
            os.close(writer)
            self.assertEqual(done.returncode, 1)
            self.assertIn("has no reader any more", done.stderr)
        self.assertEqual(self.backend.events("enrollment"), [])

    def test_mounts_that_cannot_take_the_result_cost_no_token(self):
        alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
            raise unittest.SkipTest("no mount namespace can be made here")
        runner = NewRunner(self.backend, by_token(self.backend))
        self.addCleanup(runner.close)
        place = self.enterContext(tempfile.TemporaryDirectory())
        full = ('mount -t tmpfs -o size=64k tmpfs "$1" && head -c 1M /dev/zero > "$1/filler" 2> /dev/null; '
                'exec "$0" --enroll > "$1/values.yaml"')
        by_itself = 'touch "$1/a" "$1/b" && mount --bind "$1/a" "$1/b" && exec "$0" --enroll -o "$1/b"'
        for script, told in ((full, "no room is left"), (by_itself, "mount its directory instead")):
            done = subprocess.run([*alone, "sh", "-c", script, program("par-runner"), place], env=runner._environment(),
                                  capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(told, done.stderr)
        self.assertEqual(self.backend.events("enrollment"), [])

    def test_a_result_whose_writing_fails_is_kept_and_its_place_is_told(self):
        runner = NewRunner(self.backend, by_token(self.backend))
        self.addCleanup(runner.close)
        with open("/dev/full", "w") as full:
            done = subprocess.run([program("par-runner"), "--enroll"], env=runner._environment(), stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        urn = enrolled(self.backend)[0]["urn"]
        self.assertIn(f"{urn} is enrolled", done.stderr)
        kept, = runner.directory.glob("par-runner-identity.*")
        self.assertIn(str(kept), done.stderr)
        self.assertEqual(stat.S_IMODE(kept.stat().st_mode), 0o600)
        text = kept.read_text()
        self.assertEqual(value(text, "urn"), urn)
        self.assertNotIn(value(text, "privateKey"), done.stderr)

    def test_without_token_or_flag_it_says_what_is_missing(self):
        done = self.enroll("--enroll", environment={})
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("RUNNER_ENROLLMENT_TOKEN is not set", done.stderr)


class Chart(unittest.TestCase):
    """Values for the official chart, against its own schema."""

    def test_the_values_pass_and_kubernetes_actions_come_with_their_permissions(self):
        chart.chart_file("private-action-runner/values.schema.json")
        actions = [REQUEST, "com.datadoghq.kubernetes.apps.restartDeployment",
                   "com.datadoghq.kubernetes.core.deleteMultipleEndpoints", "com.datadoghq.kubernetes.core.listNode",
                   "com.datadoghq.kubernetes.core.testConnection", "com.datadoghq.kubernetes.batch.*"]
        with Backend() as backend, NewRunner(backend, {**by_token(backend, actions=actions, modes=["pull", "push"]), "PAR_TAGS": "a:b,c:1",
                                                       "PAR_PORT": "9100", "PAR_HTTP_TIMEOUT_SECONDS": "2.5",
                                                       "PAR_TASK_TIMEOUT_SECONDS": "60", "PAR_ALLOW_IMDS_ENDPOINT": "true"}) as runner:
            runner.stored()
            done = runner.command("--enroll", "-f", "helm-values")
        self.assertEqual(done.returncode, 0, done.stderr)
        values = chart.read_yaml(done.stdout)[0]
        chart.validate(values)
        config = values["runner"]["config"]
        self.assertEqual(config["actionsAllowlist"], [REQUEST, "com.datadoghq.kubernetes.core.testConnection",
                                                      "com.datadoghq.kubernetes.batch.*"])
        self.assertEqual(values["runner"]["kubernetesActions"],
                         {"deployments": ["restart"], "endpoints": ["deleteMultiple"], "nodes": ["list"], "pods": []})
        self.assertEqual({key: config[key] for key in ("modes", "port", "tags", "httpTimeoutSeconds", "taskTimeoutSeconds",
                                                       "allowIMDSEndpoint", "ddBaseURL")},
                         {"modes": ["pull", "push"], "port": 9100, "tags": ["a:b", "c:1"], "httpTimeoutSeconds": 2.5,
                          "taskTimeoutSeconds": 60, "allowIMDSEndpoint": True, "ddBaseURL": "https://app.datadoghq.com"})
        self.assertIn("roleType: ClusterRole", done.stdout)
        with self.assertRaises(chart.module("jsonschema").ValidationError):
            chart.validate({**values, "runner": {**values["runner"], "config": {**config, "unknown": 1}}})
