"""packaging/compose as podman-compose understands and runs it: the first start with a token and with keys, and later ones."""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest

from chart import read_yaml
from containers import REQUEST, environment, request, share
from harness import ROOT, Backend, service
from servers import http_server

SERVICES = ["podman_compose", "container"]
FOLDER = ROOT / "packaging/compose"
USER = 1000


class Project:
    """The compose files in a folder of their own, with the names of `files` and variables."""

    def __init__(self, *files, **variables):
        self.compose = service("podman_compose")["PODMAN_COMPOSE"]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="par-compose-"))
        self.name = self.directory.name
        for file in FOLDER.glob("*.yaml"):
            shutil.copy(file, self.directory)
        (self.directory / "par").mkdir(mode=0o700)
        os.chown(self.directory / "par", USER if os.geteuid() == 0 else -1, -1)
        self.files = list(files)
        self.variables = {"PAR_IMAGE": service("container")["PAR_IMAGE"], "PAR_UID": str(USER), **variables}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("down", "--timeout", "30", check=False)
        shutil.rmtree(self.directory)

    def run(self, *arguments, check=True):
        chosen = [word for file in self.files for word in ("-f", file)]
        done = subprocess.run([self.compose, "--project-name", self.name, *chosen, *arguments], cwd=self.directory,
                              env=environment() | self.variables, capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"podman-compose {arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def reach(self, backend):
        """Lets the containers reach the backend, which listens on this machine's loopback, and trust it."""
        variables = share(backend, self.directory) | {"PAR_PORT": "0", "PAR_LOOP_INTERVAL_MS": "50"}
        (self.directory / "test.json").write_text(json.dumps({"services": {"runner": {
            "network_mode": "host",
            "volumes": [f"{self.directory}/shared:/shared:ro"],
            "environment": variables}}}))
        self.files.append("test.json")


class Files(unittest.TestCase):
    def runner(self, *files, **variables):
        with Project(*files, **variables) as project:
            return read_yaml(project.run("config").stdout)[0]["services"]["runner"]

    def test_the_token_file_is_understood(self):
        runner = self.runner("compose.yaml", RUNNER_ENROLLMENT_TOKEN="one-time")
        self.assertEqual(runner["environment"]["RUNNER_ENROLLMENT_TOKEN"], "one-time")
        self.assertEqual(runner["environment"]["DD_BASE_URL"], "https://app.datadoghq.com")
        self.assertTrue(runner["read_only"])
        self.assertNotIn("command", runner)

    def test_the_keys_file_adds_to_it(self):
        runner = self.runner("compose.yaml", "compose.keys.yaml", DD_API_KEY="a", DD_APP_KEY="b", RUNNER_NAME="lab", ACTIONS_ALLOWLIST=REQUEST)
        self.assertEqual(runner["command"], ["--with-api-key"])
        self.assertEqual(runner["environment"]["ACTIONS_ALLOWLIST"], REQUEST)
        self.assertEqual(runner["environment"]["DD_PRIVATE_RUNNER_CONFIG_DIR"], "/etc/dd-action-runner/config")

    def test_a_name_that_is_missing_is_asked_for(self):
        with Project("compose.yaml", "compose.keys.yaml", DD_API_KEY="a", DD_APP_KEY="b") as project:
            done = project.run("config", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("a name for the runner", done.stdout + done.stderr)


class Containers(unittest.TestCase):
    def works(self, project, backend, url, starts=2):
        """Each start runs a task; they are one runner, which is kept in ./par."""
        for _ in range(starts):
            project.run("up", "--detach")
            try:
                task = backend.run(request(url))
            except AssertionError as failure:
                raise AssertionError(f"{failure}\n{project.run('logs', check=False)}") from None
            self.assertEqual(task["state"], "succeeded", task)
            project.run("down", "--timeout", "30")
        self.assertEqual(len(backend.call("GET", "/runners")["runners"]), 1)
        config = project.directory / "par/config.yaml"
        self.assertEqual(stat.S_IMODE(config.stat().st_mode), 0o600)
        self.assertTrue((project.directory / "par/credentials").is_dir())

    def test_a_token_is_spent_once_and_later_starts_need_the_folder_only(self):
        with Backend() as backend, http_server() as server:
            token = backend.call("POST", "/enrollment-tokens", {"actions": [REQUEST]})["token"]
            with Project("compose.yaml", RUNNER_ENROLLMENT_TOKEN=token) as project:
                project.reach(backend)
                self.works(project, backend, server.url, starts=1)
                project.variables["RUNNER_ENROLLMENT_TOKEN"] = ""
                self.works(project, backend, server.url, starts=1)

    def test_keys_may_stay_in_the_environment(self):
        with Backend() as backend, http_server() as server, \
                Project("compose.yaml", "compose.keys.yaml", DD_API_KEY=backend.api_key, DD_APP_KEY=backend.app_key, RUNNER_NAME="lab",
                        ACTIONS_ALLOWLIST=REQUEST) as project:
            project.reach(backend)
            self.works(project, backend, server.url)
