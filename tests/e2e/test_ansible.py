"""com.datadoghq.ansible: real ansible-playbook, the real webhook of Event-Driven Ansible, and a stand-in for the controller that no package
registry has. Which of them a test shows stands in its class's name."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness import ROOT, SharedRunner, free_port, service, wait_until
from servers import http_server, slow

SCRIPTS = ROOT / "tests" / "services" / "ansible"
sys.path.insert(0, str(SCRIPTS))
import controller as stand_in  # noqa: E402

SERVICES = ["ansible"]
NAMESPACE = "com.datadoghq.ansible"


class AnsibleCase(SharedRunner):
    ALLOW = [f"{NAMESPACE}.*"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = 0

    def task(self, tokens, inputs):
        type(self).files += 1
        return {"action": f"{NAMESPACE}.invokePlaybook", "inputs": inputs,
                "connection": self.runner.token_connection(f"ansible{self.files}.json", **tokens)}

    def outputs(self, tokens=None, **inputs):
        task = self.backend.run(self.task(self.tokens() if tokens is None else tokens, inputs), patience=120)
        self.assertEqual(task["state"], "succeeded", task)
        return task["outcome"]["outputs"]

    def failure(self, tokens=None, code=2, **inputs):
        task = self.backend.run(self.task(self.tokens() if tokens is None else tokens, inputs), patience=120)
        self.assertEqual(task["state"], "failed", task)
        self.assertEqual(task["outcome"]["error_code"], code, task)
        return task["outcome"]["error_details"]


class LocalCase(AnsibleCase):
    """ansible-playbook on this machine, with the playbooks of tests/services/ansible."""

    @classmethod
    def setUpClass(cls):
        cls.server = service("ansible")
        # The playbooks of the recipe, beside things that must stay out of reach.
        cls.outer = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="par-ansible-")))
        cls.playbooks = cls.outer / "playbooks"
        shutil.copytree(SCRIPTS / "playbooks", cls.playbooks)
        (cls.outer / "outside.yml").write_text("- hosts: all\n  tasks: []\n")
        (cls.playbooks / "link.yml").symlink_to("../outside.yml")
        (cls.playbooks / "both.yml").write_text((cls.playbooks / "fail.yml").read_text().replace("web2", "web1"))
        (cls.playbooks / "show.yml").write_text(
            "- hosts: web1\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug:\n        msg: '{{ value | to_json }}'\n")
        cls.temporary = cls.outer / "tmp"
        cls.temporary.mkdir()
        cls.CONFIG = {"drainTimeoutSeconds": 2, "plugins": {NAMESPACE: {
            "allowLocal": True, "ansiblePlaybook": cls.server["ANSIBLE_PLAYBOOK"],
            "environment": {"ANSIBLE_COLLECTIONS_PATH": cls.server["ANSIBLE_COLLECTIONS"]}}}}
        super().setUpClass()

    @classmethod
    def environment(cls):
        return {"TMPDIR": str(cls.temporary)}

    def tearDown(self):
        super().tearDown()
        self.assertEqual(list(self.temporary.iterdir()), [], "temporary files are left")

    def tokens(self, **more):
        return {"playbookDir": str(self.playbooks), "inventory": "inventory.ini", **more}

    def processes(self, text):
        """Command lines of what this test's runner has started."""
        found = []
        for directory in pathlib.Path("/proc").iterdir():
            if directory.name.isdigit():
                try:
                    words = (directory / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                    environment = (directory / "environ").read_bytes()
                except OSError:
                    continue
                if text in words and str(self.temporary).encode() in environment and int(directory.name) != self.runner.process.pid:
                    found.append(words)
        return found


class WithAnsiblePlaybook(LocalCase):
    def test_success(self):
        done = self.outputs(playbook="ok.yml", extraVars={"who": "grüße 😀"})
        self.assertEqual((done["mode"], done["status"], done["failed"], done["exitCode"]), ("local", "successful", False, 0))
        self.assertEqual(done["hosts"], {host: {"ok": 2, "changed": 1, "failed": 0, "unreachable": 0, "skipped": 0}
                                         for host in ("web1", "web2")})
        self.assertIn("TASK [Say]\nok: [web1] => msg: hello grüße 😀\n", done["stdout"])
        self.assertFalse(done["stdoutTruncated"])
        self.assertGreater(done["durationMillis"], 0)
        self.assertRegex(done["startedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_options(self):
        done = self.outputs(playbook="ok.yml", tags=["say"], limit="web1", verbosity=1)
        self.assertEqual(done["hosts"], {"web1": {"ok": 1, "changed": 0, "failed": 0, "unreachable": 0, "skipped": 0}})
        done = self.outputs(playbook="ok.yml", skipTags=["say"], check=True, inventory="inventory.ini")
        self.assertEqual(done["hosts"]["web2"], {"ok": 0, "changed": 0, "failed": 0, "unreachable": 0, "skipped": 1})
        self.assertIn("limit", self.failure(playbook="ok.yml", limit="nowhere").lower())

    def test_extra_variables_are_data(self):
        for value in ("{{ 6 * 7 }}", "{{ lookup('pipe', 'touch /tmp/par-never') }}", {"a": [1, 9007199254740991, 1e21, None, "ü\u0085\x01"]}):
            with self.subTest(str(value)):
                shown = self.outputs(playbook="show.yml", extraVars={"value": value})["stdout"]
                self.assertEqual(json.loads(shown.partition("msg: ")[2].strip()), value)
        self.assertFalse(os.path.exists("/tmp/par-never"))
        self.assertIn("extraVars.ansible_connection", self.failure(playbook="ok.yml", extraVars={"ansible_connection": "local"}))

    def test_no_input_reaches_a_command_line_of_ssh(self):
        canary = self.outer / "ssh-ran-this"
        option = f"-oProxyCommand=touch {canary}"
        self.assertIn("is no host", self.failure(playbook="unreachable.yml", inventory=option.replace(" ", "${IFS}") + ","))
        self.assertIn("extraVars.inventory_hostname", self.failure(
            playbook="unreachable.yml", inventory="inventory-unreachable.ini", extraVars={"inventory_hostname": option}))
        self.assertFalse(canary.exists())

    def test_failures_name_the_hosts(self):
        details = self.failure(playbook="fail.yml")
        self.assertIn("exit code 2: failed on web2", details)
        details = self.failure(playbook="unreachable.yml", inventory="inventory-unreachable.ini")
        self.assertIn("exit code 4: unreachable: down", details)
        details = self.failure(playbook="both.yml", inventory="inventory-unreachable.ini")
        self.assertIn("failed on web1; unreachable: down", details)

    def test_what_cannot_run_says_why(self):
        self.assertIn("exit code 4", self.failure(playbook="syntax.yml"))
        rows = [("nowhere.yml", {}, "No such file"), ("../outside.yml", {}, "leads out"), ("link.yml", {}, "leads out"),
                ("/etc/passwd", {}, "relative"), ("ok.yml", {"inventory": "../x"}, "inventory"),
                *(("ok.yml", {"limit": limit}, "names a file")
                  for limit in ("@/etc/passwd", "web1,@x", "\t@/etc/passwd", "x]@/etc/passwd", "[@/etc/passwd")),
                ("ok.yml", {"inventory": "a[1:99],"}, "is no host"),
                ("ok.yml", {"waitForCompletion": False}, "always waited for"), ("ok.yml", {"verbosity": 5}, "verbosity"),
                ("ok.yml", {"tags": "say"}, "tags"), ("", {}, "playbook")]
        for playbook, inputs, text in rows:
            with self.subTest(playbook, **inputs):
                self.assertIn(text, self.failure(playbook=playbook, **inputs))
        self.assertIn("No such file", self.failure({"playbookDir": str(self.outer / "none")}, playbook="ok.yml"))

    def test_secrets_in_extra_variables_are_in_no_argument_and_in_no_file_afterwards(self):
        secret = self.runner.canaries.make("variable")
        task = self.backend.enqueue(self.task(self.tokens(), {"playbook": "hang.yml", "timeout": 20,
                                                              "extraVars": {"seconds": 3, "password": secret}}))
        wait_until(lambda: self.processes("hang.yml"), "ansible-playbook runs")
        for process in self.processes("hang.yml"):
            self.assertNotIn(secret, process)
        for file in self.temporary.rglob("extra-vars.yml"):
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.backend.wait(task)["state"], "succeeded")

    def test_a_time_limit_ends_the_whole_tree(self):
        seconds = 1000 + os.getpid() % 1000
        task = self.backend.enqueue(self.task(self.tokens(), {"playbook": "hang.yml", "timeout": 15,
                                                              "extraVars": {"seconds": seconds}}))
        wait_until(lambda: self.processes(f"sleep {seconds}"), "the command of the playbook runs")
        outcome = self.backend.wait(task)["outcome"]
        self.assertEqual(outcome["error_code"], 1, outcome)
        self.assertIn("time limit of 15 s", outcome["error_details"])
        wait_until(lambda: not self.processes(f"sleep {seconds}") and not self.processes("hang.yml"), "everything has ended")
        wait_until(lambda: not list(self.temporary.iterdir()), "the temporary files have gone")

    def test_much_output_keeps_its_statistics(self):
        done = self.outputs(playbook="big.yml")
        self.assertEqual(done["hosts"]["web1"]["changed"], 1)
        self.assertTrue(done["stdoutTruncated"])
        self.assertLessEqual(len(done["stdout"]), 1 << 20)


class StopDuringAPlaybook(LocalCase):
    def test_ends_the_whole_tree_and_says_so(self):
        seconds = 2000 + os.getpid() % 1000
        task = self.backend.enqueue(self.task(self.tokens(), {"playbook": "hang.yml", "extraVars": {"seconds": seconds}}))
        wait_until(lambda: self.processes(f"sleep {seconds}"), "the command of the playbook runs")
        self.assertEqual(self.runner.stop(), 0)
        outcome = self.backend.wait(task)["outcome"]
        self.assertEqual(outcome["error_code"], 1, outcome)
        self.assertIn("half done", outcome["error_details"])
        self.assertEqual(subprocess.run(["pgrep", "-f", f"sleep {seconds}"], capture_output=True).returncode, 1)


class WithoutTheJsonCallback(AnsibleCase):
    @classmethod
    def setUpClass(cls):
        cls.server = service("ansible")
        cls.CONFIG = {"plugins": {NAMESPACE: {"allowLocal": True, "ansiblePlaybook": cls.server["ANSIBLE_PLAYBOOK"],
                                              "environment": {"ANSIBLE_COLLECTIONS_PATH": "/nowhere"}}}}
        super().setUpClass()

    def tokens(self):
        return {"playbookDir": str(SCRIPTS / "playbooks"), "inventory": "inventory.ini"}

    def test_statistics_come_from_the_text(self):
        done = self.outputs(playbook="ok.yml", tags=["run"])
        self.assertEqual(done["hosts"]["web2"], {"ok": 1, "changed": 1, "failed": 0, "unreachable": 0, "skipped": 0})
        self.assertIn("PLAY RECAP", done["stdout"])


class LocalRunsAreOff(AnsibleCase):
    def test_unless_the_configuration_allows_them(self):
        self.assertIn("allowLocal", self.failure({"playbookDir": "/tmp"}, playbook="ok.yml"))

    def test_a_connection_has_one_mode(self):
        self.assertIn("none of the tokens", self.failure({"other": "x"}, playbook="ok.yml"))
        self.assertIn("several of the tokens", self.failure({"playbookDir": "/tmp", "baseURL": "http://x"}, playbook="ok.yml"))


class TheProgramIsMissing(AnsibleCase):
    CONFIG = {"plugins": {NAMESPACE: {"allowLocal": True, "ansiblePlaybook": "/nowhere/ansible-playbook"}}}

    def test_which_the_error_says(self):
        details = self.failure({"playbookDir": str(SCRIPTS / "playbooks")}, playbook="ok.yml")
        self.assertIn("/nowhere/ansible-playbook", details)
        self.assertIn("install ansible-core", details)


class WithEventDrivenAnsible(AnsibleCase):
    @classmethod
    def setUpClass(cls):
        cls.server = service("ansible")
        super().setUpClass()

    @classmethod
    def environment(cls):
        if "EDA_MISSING" in cls.server:
            return {}
        bundle = cls.backend.directory / "roots.pem"
        bundle.write_text(pathlib.Path(cls.backend.ca_file).read_text() + pathlib.Path(cls.server["EDA_CA"]).read_text())
        return {"SSL_CERT_FILE": str(bundle)}

    def setUp(self):
        if "EDA_MISSING" in self.server:
            self.skipTest(self.server["EDA_MISSING"])
        self.runner.canaries.watch(self.server["EDA_TOKEN"])

    def tokens(self, **more):
        return {"webhookURL": self.server["EDA_URL"], "webhookToken": self.server["EDA_TOKEN"], **more}

    def test_an_event_starts_a_playbook(self):
        log = pathlib.Path(self.server["EDA_LOG"])
        before = log.read_text(errors="replace").count("PLAY RECAP")
        self.assertEqual(self.outputs(playbook="site.yml", extraVars={"who": "webhook"}, tags=["a"], check=True),
                         {"mode": "webhook", "status": "accepted", "failed": False})
        wait_until(lambda: log.read_text(errors="replace").count("PLAY RECAP") > before, "the rulebook has run its playbook",
                   patience=120)
        self.assertIn("hello webhook", log.read_text(errors="replace"))

    def test_refusals(self):
        self.assertIn("401", self.failure(self.tokens(webhookToken=self.runner.canaries.make(odd=False)), playbook="site.yml"))
        self.assertIn("401", self.failure({"webhookURL": self.server["EDA_URL"]}, playbook="site.yml"))
        self.assertIn("nothing to wait for", self.failure(playbook="site.yml", waitForCompletion=True))
        self.assertIn("connect", self.failure(self.tokens(webhookURL=f"http://127.0.0.1:{free_port()}/"), playbook="site.yml"))


class WithTheStandInForAController(AnsibleCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(stand_in.Controller())
        super().setUpClass()
        cls.runner.canaries.watch(stand_in.TOKEN)
        cls.runner.canaries.watch(stand_in.PASSWORD)

    def tokens(self, **more):
        return {"baseURL": self.server.url + "/", "apiToken": stand_in.TOKEN, **more}

    def outputs(self, tokens=None, **inputs):
        return super().outputs(tokens, **{"pollIntervalSeconds": 1, **inputs})

    def failure(self, tokens=None, code=2, **inputs):
        return super().failure(tokens, code, **{"pollIntervalSeconds": 1, **inputs})

    def test_clients_of_others_accept_the_stand_in(self):
        variables = service("ansible")
        done = subprocess.run([sys.executable, SCRIPTS / "clients.py", variables["ANSIBLE_BIN"], variables["ANSIBLE_COLLECTIONS"]],
                              capture_output=True, text=True, timeout=170)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_job_is_launched_watched_and_reported(self):
        done = self.outputs(playbook="deploy", inventory="prod", limit="web*", extraVars={"n": 9007199254740991, "s": "ü"},
                            tags=["a", "b"], skipTags=["c"], check=True, verbosity=2)
        self.assertEqual(self.server.launches[-1], (7, {"extra_vars": '{"n":9007199254740991,"s":"ü"}', "limit": "web*", "inventory": 3,
                                                        "job_tags": "a,b", "skip_tags": "c", "job_type": "check", "verbosity": 2}))
        number = done["jobId"]
        self.assertEqual(done, {
            "mode": "controller", "jobId": number, "status": "successful", "failed": False,
            "url": f"{self.server.url}/#/jobs/playbook/{number}/", "startedAt": "2026-01-02T03:04:05.123456Z",
            "finishedAt": "2026-01-02T03:04:41.123456Z", "durationMillis": 36000,
            "hosts": {f"web{i}": {"ok": 5, "changed": 2, "failed": 0, "unreachable": 0, "skipped": 1} for i in (1, 2, 3)},
            "ignoredFields": {"verbosity": 2}, "stdout": self.server.output, "stdoutTruncated": False})

    def test_ids_need_no_lookup_and_nothing_is_sent_that_is_not_given(self):
        before = len(self.server.requests)
        done = self.outputs({"baseURL": self.server.url, "username": stand_in.USER, "password": stand_in.PASSWORD},
                            playbook="7", inventory="4", waitForCompletion=False)
        self.assertEqual(self.server.launches[-1], (7, {"inventory": 4}))
        self.assertEqual(self.server.requests[before:], [("POST", "/api/v2/job_templates/7/launch/")])
        self.assertEqual(done["status"], "pending")
        for absent in ("hosts", "stdout", "finishedAt", "durationMillis"):
            self.assertNotIn(absent, done)

    def test_long_output_is_cut_at_its_beginning(self):
        self.server.output, before = "".join(f"line {n} ü\n" for n in range(200_000)), self.server.output
        try:
            done = self.outputs(playbook="deploy")
        finally:
            self.server.output = before
        self.assertTrue(done["stdoutTruncated"])
        self.assertTrue(done["stdout"].endswith("line 199999 ü\n"))
        self.assertLessEqual(len(done["stdout"].encode()), 1 << 20)

    def test_jobs_that_end_badly(self):
        details = self.failure(playbook="fails")
        self.assertRegex(details, r"job \d+ ended as failed: failed on web2; unreachable: web3 \(http")
        self.assertIn("ended as canceled", self.failure(playbook="canceled"))

    def test_refusals(self):
        rows = [({}, {"playbook": "nowhere"}, 'no job template of that name'), ({}, {"playbook": "twice"}, "their ids: 8, 9"),
                ({}, {"playbook": "99"}, "HTTP status 404"), ({}, {"playbook": "closed"}, "'region' value missing"),
                ({}, {"playbook": "deploy", "inventory": "none"}, "no inventory of that name"),
                ({"apiToken": self.runner.canaries.make(odd=False)}, {"playbook": "deploy"}, "HTTP status 401"),
                ({"apiPrefix": "/api/controller/v2"}, {"playbook": "deploy"}, "/api/controller/v2/job_templates/"),
                ({"baseURL": "awx.example.net"}, {"playbook": "deploy"}, "https://awx.example.net"),
                ({"baseURL": f"http://127.0.0.1:{free_port()}"}, {"playbook": "7"}, "connect")]
        for tokens, inputs, text in rows:
            with self.subTest(text):
                self.assertIn(text, self.failure(self.tokens(**tokens), **inputs))
        self.assertIn("apiToken", self.failure({"baseURL": self.server.url}, playbook="deploy"))

    def test_polls_that_fail_for_a_while_do_not_lose_the_job(self):
        self.server.broken = {"/api/v2/jobs/": [502, 503, 429]}
        self.assertEqual(self.outputs(playbook="deploy")["status"], "successful")
        self.server.broken = {"/api/v2/jobs/": ["page", "page"]}  # error pages that are larger than any JSON answer may be
        self.assertEqual(self.outputs(playbook="deploy")["status"], "successful")
        self.server.broken = {"/api/v2/jobs/": [404]}
        details = self.failure(playbook="deploy")
        self.assertRegex(details, r"job \d+ was pending when it was last seen and goes on without this task")
        self.assertIn("the database is away", details)

    def test_the_time_limit_names_the_job_that_goes_on(self):
        details = self.failure(playbook="slow", code=1, timeout=3)
        self.assertIn("time limit of 3 s", details)
        self.assertRegex(details, r"job \d+ was running when it was last seen and goes on without this task")
        with http_server(answer=slow(60)) as silent:
            details = self.failure(self.tokens(baseURL=silent.url), code=1, playbook="7", timeout=1)
            self.assertIn("unknown", details)  # the job may have been launched
