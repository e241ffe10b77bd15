"""The official chart's pods, started from our image as the kubelet would: volumes of links, limits, real signals and probes."""
import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from chart import chart_file, module, read_yaml
from containers import REQUEST, ContainerCase, request, share
from harness import ROOT, Backend, free_port, token_auth, wait_until
from servers import http_server, slow

HERE = ROOT / "tests/services/container"
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(ROOT / "tests/services/jenkins"))
import stand_in  # noqa: E402

SERVICES = ["container"]
CREDENTIALS = "/etc/dd-action-runner/config/credentials"


def rendered(name):
    return chart_file("rendered") / f"{name}.yaml"


def identity(manifest):
    """URN and private key in the config.yaml of a rendered manifest."""
    secrets = [item for item in read_yaml(manifest.read_text()) if item and item["kind"] == "Secret"]
    config = next(read_yaml(item["stringData"]["config.yaml"])[0] for item in secrets if "config.yaml" in item["stringData"])
    return config["urn"], config["privateKey"]


class Manifest(unittest.TestCase):
    POD = """
kind: Secret
metadata: {name: identity}
stringData: {RUNNER_PRIVATE_KEY: "not-for=everybody # or"}
---
kind: Pod
metadata: {name: one}
spec: {containers: [{name: runner, image: none, envFrom: [{secretRef: {name: identity}}]}]}
"""

    def print_command(self, text):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / "pod.yaml").write_text(text)
        done = subprocess.run([sys.executable, HERE / "pod_from_manifest.py", "--print", directory / "pod.yaml", "--dir", directory],
                              capture_output=True, text=True)
        return directory / "environment", done

    def test_secrets_are_in_a_file_and_not_on_the_command_line(self):
        file, done = self.print_command(self.POD)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("not-for", done.stdout)
        self.assertIn(f"--env-file\n{file}\n", done.stdout)
        self.assertEqual(file.read_text(), "RUNNER_PRIVATE_KEY=not-for=everybody # or\n")
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

    def test_a_value_of_several_lines_is_refused(self):
        file, done = self.print_command(self.POD.replace(" # or", "\\nPATH=/elsewhere"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("env RUNNER_PRIVATE_KEY", done.stderr)
        self.assertNotIn("elsewhere", done.stderr)
        self.assertFalse(file.exists())


class Pod(ContainerCase):
    def start(self, *manifests, backend=None, without=(), **variables):
        """Starts the pod of the manifests. Beside what they say it is told where the backend is and the variables given, and not those
        named in `without`; its port is free on this machine, where all containers share one network. Returns its name and port."""
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="par-pod-")))
        directory.chmod(0o755)
        name, port = directory.name, str(free_port())
        words = []
        if backend:
            variables = share(backend, directory) | variables
            words = ["--volume", f"{directory}/shared:/shared:ro"]
        told = {key: value for key, value in variables.items() if key not in without} | {"PAR_PORT": port}
        words += module("pod_from_manifest").environment_file(directory / "environment", told)
        self.addCleanup(self.remove, name)
        self.commands[name] = [sys.executable, HERE / "pod_from_manifest.py", "--dir", directory / "volumes", "--name", name,
                               "--image", self.images["PAR_IMAGE"]]
        self.pod_from_manifest(name, *manifests, "--", *words)
        return name, port

    def setUp(self):
        self.commands = {}

    def pod_from_manifest(self, name, *arguments):
        done = subprocess.run([*self.commands[name], *arguments], env=self.environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def swap(self, name, *manifests):
        """What the kubelet does when a Secret changes."""
        self.pod_from_manifest(name, *manifests, "--volumes-only")

    def manifest(self, *objects, text=None):
        """A file of these objects."""
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "objects.yaml"
        path.write_text(text or "\n---\n".join(json.dumps(item) for item in objects))
        return path

    def stop(self, name):
        self.podman("kill", "--signal", "TERM", name)
        self.assertEqual(self.exit_code(name), 0, self.logs(name))

    def assert_succeeds(self, backend, name, task):
        outcome = backend.run(task)
        self.assertEqual(outcome["state"], "succeeded", f"{outcome}\n{self.logs(name)}")
        return outcome["outcome"]["outputs"]

    def test_a_task_runs_the_secret_is_swapped_and_sigterm_waits_for_the_task(self):
        manifest = rendered("inline-identity")
        with Backend() as backend, http_server() as server, http_server(slow(2.0)) as slowly:
            backend.adopt(*identity(manifest))
            begin = time.monotonic()
            name, _ = self.start(manifest, backend=backend, PAR_LOOP_INTERVAL_MS="50")
            backend.wait_event("dequeue")
            print(f"first dequeue {time.monotonic() - begin:.1f} s after the start, container included")
            self.assert_succeeds(backend, name, request(server.url))
            begin, count = time.monotonic(), 40
            backend.run_all([request(server.url)] * count)
            print(f"{count / (time.monotonic() - begin):.0f} tasks/s with the chart's quarter of a CPU")
            self.assertEqual(self.podman("exec", name, "par-runner", "--healthcheck", check=False).returncode, 0, self.logs(name))

            # The runner goes on with the configuration that it has.
            self.swap(name, self.manifest(text=manifest.read_text().replace(REQUEST, "com.datadoghq.http.testConnection")))
            self.assert_succeeds(backend, name, request(server.url))

            task = backend.enqueue(request(slowly.url))
            wait_until(lambda: slowly.requests, "the request")
            self.stop(name)
            self.assertEqual(backend.wait(task)["state"], "succeeded")

    def test_two_pods_share_one_identity_and_a_changed_allowlist_counts_after_a_restart(self):
        manifest = rendered("inline-identity")
        changed = self.manifest(text=manifest.read_text().replace(REQUEST, "com.datadoghq.http.testConnection"))
        with Backend() as backend, http_server(slow(0.1)) as server:
            backend.adopt(*identity(manifest))
            first, second = (self.start(manifest, backend=backend, PAR_LOOP_INTERVAL_MS="50")[0] for _ in range(2))
            wait_until(lambda: len({event["connection"] for event in backend.events("dequeue")}) >= 2, "both ask for work")
            tasks = backend.run_all([request(server.url)] * 20)
            self.assertEqual({task["state"] for task in tasks}, {"succeeded"})
            for name in (first, second):
                self.assertIn(REQUEST, self.logs(name), "each runs some of them")
            tasks = backend.enqueue([request(server.url)] * 10)
            self.stop(second)
            self.assertEqual({backend.wait(task)["state"] for task in tasks}, {"succeeded"})

            self.swap(first, changed)
            before = {event["connection"] for event in backend.events("dequeue")}
            after, begin = backend.last_event(), time.time()
            self.podman("restart", "--time", "30", first)
            dequeue = backend.wait_event("dequeue", after, where=lambda event: event["connection"] not in before)
            print(f"first dequeue {dequeue['time_ms'] / 1000 - begin:.1f} s after `podman restart` with another allowlist")
            refused = backend.run(request(server.url))
            self.assertEqual(refused["outcome"]["error_code"], 2, refused)
            self.stop(first)

    def test_placeholders_end_with_what_to_do(self):
        for rendering in ("default", "kubernetes-actions", "chart-example"):
            with self.subTest(rendering):
                name, _ = self.start(rendered(rendering))
                self.assertNotEqual(self.exit_code(name), 0)
                self.assertIn("CHANGE_ME", self.logs(name))

    def test_an_identity_in_a_secret_of_the_operators_and_credentials_in_others(self):
        urn, key = identity(rendered("inline-identity"))
        file = f"{CREDENTIALS}/jenkins/jenkins_token.json"
        with Backend() as backend, stand_in.StandIn() as jenkins:
            secrets = {
                "runner-identity": {"RUNNER_URN": urn, "RUNNER_PRIVATE_KEY": key},
                "all-secrets-at-once": {"http_token.json": json.dumps(token_auth(TOKEN1="unused"))},
                "jenkins-secret": {"jenkins_token.json": json.dumps(token_auth(
                    domain=jenkins.url + "/", username=stand_in.USER, token=stand_in.TOKEN))}}
            objects = self.manifest(*({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content}
                                      for name, content in secrets.items()))
            backend.adopt(urn, key)
            name, _ = self.start(rendered("external-identity"), objects, backend=backend)
            self.assert_succeeds(backend, name, {
                "action": "com.datadoghq.jenkins.getJobStatus", "inputs": {"jobName": "app"}, "connection": {"auth": "token", "tokens": [
                    {"name": f"root_tokens.{token}", "file": file} for token in ("domain", "username", "token")]}})
            self.stop(name)
            self.assertNotIn(stand_in.TOKEN, self.logs(name))

    def test_the_authority_in_a_config_map_is_trusted_and_the_separate_secret_read(self):
        manifest = rendered("credentials-separate-secret")
        with Backend() as backend, http_server() as server:
            authority = self.manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "my-ca-cert"},
                                       "data": {"ca.crt": pathlib.Path(backend.ca_file).read_text()}})
            backend.adopt(*identity(manifest))
            name, _ = self.start(manifest, authority, backend=backend, without=["SSL_CERT_FILE"])
            self.assert_succeeds(backend, name, request(server.url) | {"connection": {"auth": "basic", "tokens": [
                {"name": "root_tokens.username", "plain_text": "USERNAME"},
                {"name": "root_tokens.password", "file": f"{CREDENTIALS}/http_basic.json"}]}})
            self.assertEqual(server.requests[-1][2].get("Authorization"), "Basic VVNFUk5BTUU6UEFTU1dPUkQ=")  # USERNAME:PASSWORD
            self.stop(name)

    def test_the_charts_own_example_of_ci_polls_with_its_identity(self):
        manifest = rendered("chart-ci")
        urn, key = identity(manifest)
        with Backend("--org", urn.split(":")[5]) as backend:
            backend.adopt(urn, key)
            name, _ = self.start(manifest, backend=backend)
            task = backend.run({"action": "com.datadoghq.kubernetes.core.getPod", "inputs": {"namespace": "default", "name": "one"}})
            self.assertIn("service account", task["outcome"]["error_details"].lower(), task)  # allowed, and there is no cluster
            self.stop(name)

    def test_credentials_beside_the_configuration(self):
        manifest = rendered("credentials-same-secret")
        with Backend() as backend, http_server() as server:
            backend.adopt(*identity(manifest))
            name, _ = self.start(manifest, backend=backend)
            self.assert_succeeds(backend, name, request(server.url))
            self.stop(name)

    def test_push_takes_no_tasks_and_is_alive(self):
        manifest = rendered("push-mode")
        with Backend() as backend:
            backend.adopt(*identity(manifest))
            name, _ = self.start(manifest, backend=backend)
            wait_until(lambda: self.podman("exec", name, "par-runner", "--healthcheck", check=False).returncode == 0, "health")
            self.assertEqual(backend.events("dequeue"), [])
            self.stop(name)
