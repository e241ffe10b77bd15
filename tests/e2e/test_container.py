"""The container images: what is in them, under which users and limits they run, and the pods of the official chart started
from them as the kubelet would: volumes of links, limits, real signals, a running task.
"""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from chart import chart_file, module
from harness import BUILD, ROOT, Backend, free_port, service, wait_until
from servers import http_server, slow

SERVICES = ["container"]
HERE = ROOT / "tests/services/container"
sys.path.insert(0, str(HERE))
REQUEST = "com.datadoghq.http.request"
PLUGINS = {"com.datadoghq." + name for name in ("ansible", "http", "jenkins", "kubernetes.apps", "kubernetes.core", "postgresql", "temporal")}
HARDENED = ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--cap-drop=all", "--security-opt", "no-new-privileges"]


def request(url):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url}}


class ContainerCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images = service("container")
        cls.environment = {**os.environ, "CONTAINERS_CONF": cls.images["PAR_CONTAINERS_CONF"]}

    def podman(self, *arguments, check=True, **options):
        done = subprocess.run(["podman", "--log-level=fatal", "--runtime", self.images["PAR_CONTAINERS_RUNTIME"], *arguments],
                              env=self.environment, capture_output=True, text=True, timeout=120, **options)
        if check:
            self.assertEqual(done.returncode, 0, f"podman {arguments}: {done.stdout}{done.stderr}")
        return done

    def once(self, image, *arguments, options=(), check=True):
        return self.podman("run", "--rm", *options, self.images[image], *arguments, check=check)

    def remove(self, name):
        self.podman("rm", "--force", "--time", "1", name, check=False)


class Image(ContainerCase):
    def namespaces(self, image):
        listed = self.once(image, "--list-actions").stdout.split()
        return {name.rpartition(".")[0] for name in listed}

    def test_only_the_chosen_plugins_are_there(self):
        self.assertEqual(self.namespaces("PAR_IMAGE_HTTP"), {"com.datadoghq.http"})
        self.assertEqual(self.namespaces("PAR_IMAGE_NONE"), set())
        for image in ("PAR_IMAGE", "PAR_IMAGE_MINIMAL"):
            found = self.namespaces(image)
            for plugin in PLUGINS:
                self.assertTrue(any((name + ".").startswith(plugin + ".") for name in found), (image, plugin, found))

    def test_sizes_stay_within_their_budgets(self):
        for image, size, packed in (("PAR_IMAGE_HTTP", 24, 9), ("PAR_IMAGE_MINIMAL", 45, 17), ("PAR_IMAGE", 125, 46)):
            with self.subTest(image):
                bytes_ = int(self.podman("image", "inspect", self.images[image], "--format", "{{.Size}}").stdout)
                self.assertLessEqual(bytes_ / 1e6, size)
                with subprocess.Popen(["podman", "save", self.images[image]], env=self.environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL) as saved:
                    done = subprocess.run(["gzip", "-6"], stdin=saved.stdout, capture_output=True, timeout=120)
                print(f"{image}: {bytes_ / 1e6:.1f} MB, gzip {len(done.stdout) / 1e6:.1f} MB")
                self.assertLessEqual(len(done.stdout) / 1e6, packed)

    def test_labels_user_and_health_check(self):
        for image in ("PAR_IMAGE", "PAR_IMAGE_MINIMAL"):
            config = json.loads(self.podman("image", "inspect", self.images[image]).stdout)[0]
            self.assertEqual(config["User"], "1000:0")
            self.assertEqual(config["Labels"]["org.opencontainers.image.title"], "par-runner")
            self.assertEqual((config.get("Healthcheck") or config["HealthCheck"])["Test"], ["CMD", "/usr/bin/par-runner", "--healthcheck"])

    def test_shell_and_tools_are_in_the_one_and_not_in_the_other(self):
        shell = ("--entrypoint", "/bin/sh")
        found = self.once("PAR_IMAGE", "-c", "id -un; for p in curl apt-get bash; do command -v $p; done", options=shell).stdout.split()
        self.assertEqual(found, ["dog", "/usr/bin/curl", "/usr/bin/apt-get", "/usr/bin/bash"])
        self.assertNotEqual(self.once("PAR_IMAGE_MINIMAL", "-c", "true", options=shell, check=False).returncode, 0)

    def test_any_user_without_capabilities_and_with_a_read_only_root(self):
        for user in ("1000:0", "1234567:0", "1001:1001"):
            for image in ("PAR_IMAGE", "PAR_IMAGE_MINIMAL"):
                with self.subTest(user=user, image=image):
                    listed = self.once(image, "--list-actions", options=["--user", user, *HARDENED])
                    self.assertIn(REQUEST, listed.stdout)

    def test_a_plugin_of_somebody_else_is_one_copied_file(self):
        echo = BUILD / "test-plugins/echo/com.example.echo.so"
        if not echo.exists():
            self.skipTest(f"{echo} is not built")
        image = "localhost/par-runner:test-third-party"
        with tempfile.TemporaryDirectory() as context:
            shutil.copy(echo, context)
            self.podman("build", "--quiet", "--isolation=chroot", "--network=host", "--format", "docker", "--build-arg",
                        f"RUNNER={self.images['PAR_IMAGE']}", "-f", ROOT / "packaging/container/examples/Containerfile.third-party",
                        "-t", image, context)
        listed = self.podman("run", "--rm", image, "--list-actions").stdout
        self.assertIn("com.example.echo.", listed)
        self.assertIn(REQUEST, listed)


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
    def start(self, manifest, backend=None, *, extra=(), port=None):
        """Starts the pod of a rendered manifest of the chart beside the backend; returns its name and the folder of its volumes."""
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="par-pod-")))
        name = directory.name
        variables = {"PAR_PORT": str(port or free_port())}
        words = []
        if backend:
            shared = directory / "shared"
            shared.mkdir()
            subprocess.run(["cp", "-r", backend.keys_directory, shared / "keys"], check=True)
            subprocess.run(["cp", backend.ca_file, shared / "ca.crt"], check=True)
            subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
            variables |= {"PAR_API_URL": backend.url, "PAR_REMOTE_CONFIG_URL": backend.url, "PAR_KEYS_DIRECTORY": "/shared/keys",
                          "SSL_CERT_FILE": "/shared/ca.crt", "PAR_LOOP_INTERVAL_MS": "50", "RUNNER_URN": backend.urn,
                          "RUNNER_PRIVATE_KEY": backend.private_key}
            words += ["--volume", f"{shared}:/shared:ro"]
        words += module("pod_from_manifest").environment_file(directory / "environment", variables)
        self.addCleanup(self.remove, name)
        self.command = ["python3", HERE / "pod_from_manifest.py", manifest, "--dir", directory / "volumes", "--name", name, "--image",
                        self.images["PAR_IMAGE"]]
        done = subprocess.run([*self.command, "--", *words, *extra], env=self.environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return name, variables["PAR_PORT"]

    def exit_code(self, name):
        return int(self.podman("wait", name).stdout)

    def logs(self, name):
        done = self.podman("logs", name)
        return done.stdout + done.stderr

    def test_a_task_runs_the_secret_is_swapped_and_sigterm_waits_for_the_task(self):
        manifest = chart_file("rendered") / "inline-identity.yaml"
        with Backend() as backend, http_server() as server, http_server(slow(2.0)) as slowly:
            begin = time.monotonic()
            name, port = self.start(manifest, backend)
            backend.wait_event("dequeue")
            print(f"first dequeue {time.monotonic() - begin:.1f} s after the start, container included")
            self.assertEqual(backend.run(request(server.url))["state"], "succeeded", self.logs(name))
            begin, count = time.monotonic(), 40
            backend.run_all([request(server.url)] * count)
            print(f"{count / (time.monotonic() - begin):.0f} tasks/s with the chart's quarter of a CPU")
            self.assertEqual(self.podman("exec", name, "par-runner", "--healthcheck", check=False).returncode, 0, self.logs(name))

            # What the kubelet does when the Secret changes: the runner goes on with what it has.
            changed = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "changed.yaml"
            changed.write_text(manifest.read_text().replace(REQUEST, "com.datadoghq.http.testConnection"))
            command = [*(changed if word == manifest else word for word in self.command), "--volumes-only"]
            swapped = subprocess.run(command, env=self.environment, capture_output=True, text=True)
            self.assertEqual(swapped.returncode, 0, swapped.stderr)
            self.assertEqual(backend.run(request(server.url))["state"], "succeeded")

            task = backend.enqueue(request(slowly.url))
            wait_until(lambda: slowly.requests, "the request")
            self.podman("kill", "--signal", "TERM", name)
            self.assertEqual(self.exit_code(name), 0, self.logs(name))
            self.assertEqual(backend.wait(task)["state"], "succeeded")

    def test_placeholders_end_with_what_to_do(self):
        for rendering in ("default", "kubernetes-actions", "chart-example"):
            with self.subTest(rendering):
                name, _ = self.start(chart_file("rendered") / f"{rendering}.yaml")
                self.assertNotEqual(self.exit_code(name), 0)
                self.assertIn("CHANGE_ME", self.logs(name))

    def test_the_other_renderings_start_and_poll(self):
        for rendering in ("credentials-same-secret", "push-mode"):
            with self.subTest(rendering), Backend() as backend, http_server() as server:
                name, _ = self.start(chart_file("rendered") / f"{rendering}.yaml", backend)
                if rendering == "push-mode":  # takes no tasks and is alive
                    wait_until(lambda: self.podman("exec", name, "par-runner", "--healthcheck", check=False).returncode == 0, "health")
                else:
                    self.assertEqual(backend.run(request(server.url))["state"], "succeeded", self.logs(name))
                self.podman("kill", "--signal", "TERM", name)
                self.assertEqual(self.exit_code(name), 0, self.logs(name))
