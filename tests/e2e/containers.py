"""What tests of containers share: podman with the settings that it needs on this machine, and the way from a container to the backend."""
import os
import shutil
import subprocess
import unittest

from harness import service

REQUEST = "com.datadoghq.http.request"


def request(url):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url}}


def environment():
    """The variables of this process, and where podman finds its settings."""
    return {**os.environ, "CONTAINERS_CONF": service("container")["PAR_CONTAINERS_CONF"]}


def share(backend, directory):
    """Makes the folder `directory`/shared, which a container of the host's network mounts as /shared. Returns the variables with
    which a runner in it reaches the backend and trusts it."""
    shared = directory / "shared"
    shutil.copytree(backend.keys_directory, shared / "keys")
    shutil.copy(backend.ca_file, shared / "ca.crt")
    for path in (shared, *shared.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return {"PAR_API_URL": backend.url, "PAR_REMOTE_CONFIG_URL": backend.url, "PAR_KEYS_DIRECTORY": "/shared/keys",
            "SSL_CERT_FILE": "/shared/ca.crt"}


class ContainerCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images = service("container")
        cls.environment = environment()

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

    def exit_code(self, name):
        return int(self.podman("wait", name).stdout)

    def logs(self, name):
        done = self.podman("logs", name)
        return done.stdout + done.stderr
