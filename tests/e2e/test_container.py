"""The container images: what is in them, under which users and limits they run tasks, and what is derived from them."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from chart import module
from containers import REQUEST, ContainerCase, request, share
from harness import BUILD, ROOT, Backend, free_port, status, wait_until
from servers import http_server

sys.path.insert(0, str(ROOT / "tests/services/container"))

SERVICES = ["container"]
PLUGINS = {"com.datadoghq." + name for name in ("ansible", "http", "jenkins", "kubernetes.apps", "kubernetes.core", "postgresql", "temporal")}
HARDENED = ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--cap-drop=all", "--security-opt", "no-new-privileges"]


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
        for user in ("1000:0", "1001:1001"):
            for image in ("PAR_IMAGE", "PAR_IMAGE_MINIMAL"):
                with self.subTest(user=user, image=image):
                    listed = self.once(image, "--list-actions", options=["--user", user, *HARDENED])
                    self.assertIn(REQUEST, listed.stdout)


class Running(ContainerCase):
    def start(self, image, backend, *options, actions=(REQUEST,)):
        """A runner with the backend's identity that is told everything by variables; returns the container's name and its port."""
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="par-container-")))
        port = str(free_port())
        variables = share(backend, directory) | {
            "RUNNER_URN": backend.urn, "RUNNER_PRIVATE_KEY": backend.private_key, "PAR_PORT": port, "PAR_LOOP_INTERVAL_MS": "50",
            "PAR_ACTIONS_ALLOWLIST": ",".join(actions)}
        words = module("pod_from_manifest").environment_file(directory / "environment", variables)
        self.addCleanup(self.remove, directory.name)
        self.podman("run", "--detach", "--network=host", "--name", directory.name, "--volume", f"{directory}/shared:/shared:ro",
                    *words, *options, image)
        return directory.name, port

    def stop(self, name):
        self.podman("kill", "--signal", "TERM", name)
        self.assertEqual(self.exit_code(name), 0, self.logs(name))

    def test_hardened_and_as_a_user_of_the_clusters_choice_it_runs_tasks_and_answers_probes(self):
        for image in ("PAR_IMAGE", "PAR_IMAGE_MINIMAL"):
            with self.subTest(image), Backend() as backend, http_server() as server:
                name, port = self.start(self.images[image], backend, "--user", "1234567:0", *HARDENED)
                wait_until(lambda: status(port, "/readiness") == 200, lambda: f"readiness:\n{self.logs(name)}")
                self.assertEqual(status(port, "/liveness"), 200)
                self.assertEqual(backend.run(request(server.url))["state"], "succeeded", self.logs(name))
                state = json.loads(self.podman("inspect", name).stdout)[0]
                process = pathlib.Path("/proc", str(state["State"]["Pid"]), "status").read_text()
                for line in ("Uid:\t1234567", "Gid:\t0", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"):
                    self.assertIn(line, process)
                # What HEALTHCHECK says, as podman runs it.
                self.assertEqual(self.podman("healthcheck", "run", name, check=False).returncode, 0, self.logs(name))
                self.stop(name)

    def test_a_plugin_of_somebody_else_is_one_copied_file_and_programs_come_with_apt(self):
        echo = BUILD / "test-plugins/echo/com.example.echo.so"
        if not echo.exists():
            self.skipTest(f"{echo} is not built")
        image = self.images["PAR_IMAGE"] + "-third-party"
        self.addCleanup(self.podman, "rmi", "--force", image, check=False)
        with tempfile.TemporaryDirectory() as context:
            shutil.copy(echo, context)
            self.podman("build", "--quiet", "--layers=false", "--isolation=chroot", "--network=host", "--format", "docker", "--build-arg",
                        f"RUNNER={self.images['PAR_IMAGE']}", "--build-arg", "PACKAGES=jq", "-f",
                        ROOT / "packaging/container/examples/Containerfile.third-party", "-t", image, context)
        found = self.podman("run", "--rm", "--entrypoint", "/bin/sh", image, "-c", "id -un; echo '[7]' | jq '.[0]'").stdout.split()
        self.assertEqual(found, ["dog", "7"])
        with Backend() as backend, http_server() as server:
            name, _ = self.start(image, backend, *HARDENED, actions=(REQUEST, "com.example.echo.echo"))
            echoed = backend.run({"action": "com.example.echo.echo", "inputs": {"text": "from a copied file"}})
            self.assertEqual(echoed["state"], "succeeded", self.logs(name))
            self.assertIn("from a copied file", json.dumps(echoed["outcome"]))
            self.assertEqual(backend.run(request(server.url))["state"], "succeeded")
            self.stop(name)
