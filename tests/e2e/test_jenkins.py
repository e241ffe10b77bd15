"""com.datadoghq.jenkins against Hudson, the real server that can be had, and against the stand-in for what today's Jenkins does
otherwise. Which of the two a test shows stands in its class's name."""
import json
import subprocess
import sys
import unittest

from harness import ROOT, SharedRunner, free_port, service, wait_until
from netns import METADATA, in_namespace
from servers import http_server, slow

sys.path.insert(0, str(ROOT / "tests" / "services" / "jenkins"))
import stand_in  # noqa: E402

SERVICES = ["jenkins"]
NAMESPACE = "com.datadoghq.jenkins"


class JenkinsCase(SharedRunner):
    ALLOW = [f"{NAMESPACE}.*"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = 0

    def task(self, action, inputs, domain, username, token, **others):
        type(self).files += 1
        connection = self.runner.token_connection(f"jenkins{self.files}.json", domain=domain, username=username, token=token, **others)
        return {"action": f"{NAMESPACE}.{action}", "inputs": inputs, "connection": connection}

    def run_task(self, *arguments, **options):
        return self.backend.run(self.task(*arguments, **options))

    def outputs(self, action, **inputs):
        task = self.run_task(action, inputs, *self.account())
        self.assertEqual(task["state"], "succeeded", task)
        return task["outcome"]["outputs"]

    def failure(self, action, account=None, code=2, **inputs):
        task = self.run_task(action, inputs, *(account or self.account()))
        self.assertEqual(task["state"], "failed", task)
        self.assertEqual(task["outcome"]["error_code"], code, task)
        return task["outcome"]["error_details"]


class WithHudson(JenkinsCase):
    @classmethod
    def setUpClass(cls):
        cls.server = service("jenkins")
        super().setUpClass()
        for name in ("JENKINS_TOKEN", "JENKINS_READER_TOKEN"):
            cls.runner.canaries.watch(cls.server[name])

    def account(self, reader=False):
        who = "JENKINS_READER_" if reader else "JENKINS_"
        return self.server["JENKINS_DOMAIN"], self.server[who + "USERNAME"], self.server[who + "TOKEN"]

    def curl(self, path, *options):
        domain, username, token = self.account()
        return subprocess.run(["curl", "-s", "-g", "-u", f"{username}:{token}", domain + path, *options], capture_output=True,
                              text=True, timeout=60).stdout

    def last_build(self, job):
        text = self.curl(f"/job/{job}/lastBuild/api/json")
        return json.loads(text) if text.startswith("{") else {}

    def test_a_build_starts_runs_and_ends(self):
        self.assertIn("404", self.failure("getJobStatus", jobName="slow"))  # never built
        self.assertEqual(self.outputs("buildJenkinsJob", jobName="slow"), {})
        running = wait_until(lambda: self.last_build("slow").get("building") and self.outputs("getJobStatus", jobName="slow"),
                             "the build runs")
        if running.get("inProgress"):  # unless it ended in between
            self.assertNotIn("result", running)
            self.assertNotIn("duration", running)
        wait_until(lambda: self.last_build("slow").get("building") is False, "the build has ended")
        ended = self.outputs("getJobStatus", jobName="slow")
        self.assertEqual((ended["result"], ended["url"]), ("SUCCESS", f"{self.account()[0]}/job/slow/1/"))
        self.assertGreater(ended["duration"], 10_000)
        self.assertNotIn("inProgress", ended)
        self.assertEqual(ended["id"], self.last_build("slow")["id"])

    def test_parameters_arrive_in_the_build(self):
        for number, (greeting, count) in enumerate([("grüße + 100%", "a&b=c"), ("", "")], 1):
            self.assertEqual(self.outputs("buildJenkinsJob", jobName="params", buildWithParameters={
                "option": "with_parameters", "parameters": {"GREETING": greeting, "COUNT": count}}), {})
            wait_until(lambda: self.last_build("params").get("number") == number and not self.last_build("params")["building"],
                       "the build has ended")
            self.assertIn(f"{greeting}|{count}\n", self.curl("/job/params/lastBuild/consoleText"))

    def test_a_failed_build(self):
        self.outputs("buildJenkinsJob", jobName="fail")
        wait_until(lambda: self.last_build("fail").get("building") is False, "the build has ended")
        self.assertEqual(self.outputs("getJobStatus", jobName="fail")["result"], "FAILURE")

    def test_names_need_no_escape(self):
        self.outputs("buildJenkinsJob", jobName="name with space")
        wait_until(lambda: self.last_build("name%20with%20space").get("building") is False, "the build has ended")
        self.assertEqual(self.outputs("getJobStatus", jobName="name with space")["result"], "SUCCESS")

    def test_refusals(self):
        reader = self.account(reader=True)
        domain, username, _ = self.account()
        rows = [
            ("a job with parameters needs the option", "400", "with_parameters", None, "buildJenkinsJob", "params"),
            ("disabled", "500", "", None, "buildJenkinsJob", "disabled"),
            ("unknown", "404", "folder/job/name", None, "buildJenkinsJob", "nowhere"),
            ("unknown status", "404", "", None, "getJobStatus", "nowhere"),
            ("no permission", "403", "permission", reader, "buildJenkinsJob", "ok"),
            ("wrong token", "403", "API token", (domain, username, self.runner.canaries.make()), "getJobStatus", "ok"),
            ("DELETE, which Hudson does not serve", "500", "", None, "deleteJenkinsJob", "delete-me"),
        ]
        for name, status, text, account, action, job in rows:
            with self.subTest(name):
                details = self.failure(action, account, jobName=job)
                self.assertIn(f"HTTP status {status} to ", details)
                self.assertIn(text, details)
        self.assertIn("delete-me", self.curl("/api/json"))


class WithStandIn(JenkinsCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(stand_in.StandIn())
        super().setUpClass()
        cls.runner.canaries.watch(stand_in.TOKEN)

    def account(self):
        return self.server.url + "/", stand_in.USER, stand_in.TOKEN

    def test_client_libraries_of_others_accept_the_stand_in(self):
        done = subprocess.run([sys.executable, ROOT / "tests/services/jenkins/clients.py"], capture_output=True, text=True,
                              timeout=170)
        if done.returncode == 77:
            self.skipTest(done.stdout.strip().splitlines()[-1].removeprefix("SKIPPED: "))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_build_is_queued_and_its_place_in_the_queue_told(self):
        before = self.server.queued
        self.assertEqual(self.outputs("buildJenkinsJob", jobName="app"),
                         {"queueUrl": f"{self.server.url}/queue/item/{before + 1}/"})
        self.assertEqual(self.server.requests[-1], ("POST", "/job/app/build?delay=0sec"))
        self.outputs("buildJenkinsJob", jobName="params", buildWithParameters={
            "option": "with_parameters", "parameters": {"GREETING": "grüße +", "COUNT": "2"}})
        self.assertEqual(self.server.jobs["params"].started[-1], {"GREETING": "grüße +", "COUNT": "2"})
        self.assertEqual(self.server.requests[-1][1],
                         "/job/params/buildWithParameters?COUNT=2&GREETING=gr%C3%BC%C3%9Fe+%2B&delay=0sec")

    def test_status_of_finished_running_and_new_jobs(self):
        self.assertEqual(self.outputs("getJobStatus", jobName="app"), {
            "displayName": "#42", "duration": 61234, "estimatedDuration": 60000, "id": "42", "result": "SUCCESS",
            "url": f"{self.server.url}/job/app/42/"})
        self.assertEqual(self.outputs("getJobStatus", jobName="running"), {
            "displayName": "#7", "estimatedDuration": -1, "id": "7", "inProgress": True,
            "url": f"{self.server.url}/job/running/7/"})
        self.assertIn("never built", self.failure("getJobStatus", jobName="new"))

    def test_folders(self):
        self.assertEqual(self.outputs("getJobStatus", jobName="team/job/app")["result"], "FAILURE")
        self.assertIn("queueUrl", self.outputs("buildJenkinsJob", jobName="team/job/sub team/job/app"))
        self.assertEqual(self.server.requests[-1][1], "/job/team/job/sub%20team/job/app/build?delay=0sec")
        self.assertIn("folder/job/name", self.failure("getJobStatus", jobName="team/app"))

    def test_jobs_are_deleted(self):
        for job in ("gone", "gone204"):
            self.assertEqual(self.outputs("deleteJenkinsJob", jobName=job), {})
            self.assertNotIn(job, self.server.jobs)
            self.assertIn(("DELETE", f"/job/{job}/"), self.server.requests)
            self.assertIn("404", self.failure("deleteJenkinsJob", jobName=job))

    def test_refusals(self):
        wrong = (self.server.url, stand_in.USER, self.runner.canaries.make())
        for status, text, account, job in [("401", "check both in the connection", wrong, "app"), ("409", "disabled", None, "disabled"),
                                           ("400", "with_parameters", None, "params"), ("404", "folder/job/name", None, "nowhere")]:
            with self.subTest(status):
                details = self.failure("buildJenkinsJob", account, jobName=job)
                self.assertIn(f"HTTP status {status} to POST {self.server.url}/job/{job}/build", details)
                self.assertIn(text, details)

    def test_names_that_reach_something_else_are_refused_before_any_request(self):
        before = len(self.server.requests)
        for name in ("", "/", "../x", "team//app", "app/", "."):
            with self.subTest(name):
                self.assertIn("jobName", self.failure("deleteJenkinsJob", jobName=name))
        for inputs in ({}, {"jobName": 7}, {"jobName": "app", "buildWithParameters": {"option": "maybe"}},
                       {"jobName": "app", "buildWithParameters": {"option": "with_parameters", "parameters": {"A": 1}}},
                       {"jobName": "app", "buildWithParameters": {"option": "with_parameters", "parameters": {"delay": "1"}}}):
            with self.subTest(str(inputs)):
                self.failure("buildJenkinsJob", **inputs)
        self.assertEqual(len(self.server.requests), before)

    def test_credentials_that_are_missing_name_the_file_and_what_it_has(self):
        for missing in ("domain", "username", "token"):
            tokens = {"domain": self.server.url, "username": stand_in.USER, "token": stand_in.TOKEN, missing: None}
            task = self.run_task("getJobStatus", {"jobName": "app"}, **tokens, other="x")
            details = task["outcome"]["error_details"]
            self.assertEqual(task["outcome"]["error_code"], 1, task)
            for text in (f'"{missing}"', f"jenkins{self.files}.json", "other"):
                self.assertIn(text, details)
        flat = self.runner.directory / "credentials" / "flat.json"
        flat.write_text(json.dumps({"auth_type": "Token Auth", "credentials": [
            {"domain": self.server.url, "username": stand_in.USER, "token": stand_in.TOKEN}]}))
        task = self.backend.run({"action": f"{NAMESPACE}.getJobStatus", "inputs": {"jobName": "app"}, "connection": {
            "auth": "token", "tokens": [{"name": f"root_tokens.{name}", "file": str(flat)} for name in ("domain", "username", "token")]}})
        self.assertEqual(task["state"], "succeeded", task)

    def test_a_server_that_is_down_or_silent(self):
        self.assertIn("connect", self.failure("getJobStatus", (f"http://127.0.0.1:{free_port()}", "bot", stand_in.TOKEN),
                                              jobName="app"))
        with http_server(answer=slow(60)) as silent:
            account = (silent.url, "bot", stand_in.TOKEN)
            details = self.failure("buildJenkinsJob", account, code=1, jobName="app", timeout=1)
            self.assertIn("time limit of 1 s", details)
            self.assertIn("unknown", details)  # the build may have started


class Policy(JenkinsCase):
    CONFIG = {"allowlist": ["other.example.com"]}

    @in_namespace
    def test_the_host_allowlist_does_not_count_but_the_metadata_addresses_are_closed(self):
        with http_server() as server, http_server(address=METADATA, port=80) as metadata:
            done = self.run_task("getJobStatus", {"jobName": "app"}, server.url, "bot", stand_in.TOKEN)
            self.assertEqual(done["outcome"]["outputs"], {})  # what this server says of a build is nothing that Jenkins says
            refused = self.failure("getJobStatus", (f"http://{METADATA}", "bot", stand_in.TOKEN), jobName="app")
            self.assertIn(METADATA, refused)
            self.assertEqual(metadata.requests, [])


class Stop(JenkinsCase):
    CONFIG = {"drainTimeoutSeconds": 1}

    def test_a_build_that_is_cut_off_by_a_stop_says_that_its_effect_is_unknown(self):
        with http_server(answer=slow(60)) as silent:
            task = self.backend.enqueue(self.task("buildJenkinsJob", {"jobName": "app"}, silent.url, "bot", stand_in.TOKEN))
            wait_until(lambda: silent.requests, "the request has arrived")
            self.assertEqual(self.runner.stop(), 0)
            outcome = self.backend.wait(task)["outcome"]
            self.assertEqual(outcome["error_code"], 1)
            self.assertIn("unknown", outcome["error_details"])


if __name__ == "__main__":
    unittest.main()
