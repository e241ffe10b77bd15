"""The processes that the benchmark needs: nginx, the local backend, the runner, and what can be read of a process."""
import atexit
import json
import os
import pathlib
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ACTION = "com.datadoghq.http.request"


class Nginx:
    """The web server that tasks ask, see tests/services/nginx."""

    def __init__(self, directory):
        self.directory = directory
        subprocess.run([ROOT / "tests/services/nginx/up.sh", directory], check=True)
        lines = (directory / "env").read_text().splitlines()
        self.variables = dict(line.split("=", 1) for line in lines)
        self.url = self.variables["NGINX_HTTP"]
        atexit.register(self.stop)

    def stop(self):
        atexit.unregister(self.stop)
        subprocess.run([ROOT / "tests/services/nginx/down.sh", self.directory], check=True)


class Backend:
    """par-local-backend in a directory of its own, and its control API."""

    def __init__(self, binaries, directory, *options):
        self.binaries, self.directory = binaries, directory
        with open(directory.with_suffix(".log"), "wb") as log:
            subprocess.run([binaries / "par-local-backend", "start", "--dir", directory, "--allow", ACTION,
                            "--background", *options], check=True, stdout=log, stderr=log)
        atexit.register(self.stop)  # also when something fails on the way
        self.endpoint = json.loads((directory / "endpoint.json").read_text())

    def stop(self):
        atexit.unregister(self.stop)
        subprocess.run([self.binaries / "par-local-backend", "stop", "--dir", self.directory], check=True,
                       stdout=subprocess.DEVNULL)

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.endpoint["control_url"] + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.endpoint["control_token"], "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.loads(answer.read() or b"{}")

    def enqueue(self, url, count=1):
        self.call("POST", "/tasks", {"action": ACTION, "inputs": {"verb": "GET", "url": url}, "count": count})

    def wait_published(self, count, seconds=120):
        statistics = self.call("GET", f"/statistics?published={count}&timeout_ms={seconds * 1000}")
        if statistics["published"] < count or statistics["failed"]:
            raise RuntimeError(f"expected {count} results, got {statistics}; see {self.directory}")
        return statistics

    def events(self, kind, timeout_ms=0):
        return self.call("GET", f"/events?after=0&kind={kind}&timeout_ms={timeout_ms}")["events"]


class Runner:
    """par-runner against a backend. `started_ms` is the moment just before exec, in ms since the epoch."""

    def __init__(self, binaries, backend, pool=10, variables=None):
        environment = {
            "PATH": os.environ["PATH"],
            "DD_PRIVATE_RUNNER_CONFIG_DIR": str(backend.directory),
            "SSL_CERT_FILE": backend.endpoint["ca_file"],
            "PAR_RUNNER_POOL_SIZE": str(pool),
            "PAR_PORT": "0",
            "DD_LOG_LEVEL": "warn",
            **(variables or {}),
        }
        self.log = backend.directory.with_name(backend.directory.name + "-runner.log")
        with open(self.log, "ab") as log:
            self.started_ms = time.time() * 1000
            self.process = subprocess.Popen([binaries / "par-runner"], env=environment, stdout=log, stderr=log)
        self.pid = self.process.pid
        atexit.register(self.process.kill)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def cpu_seconds(self):
        """CPU time of the process with all its threads, ended ones included, in nanosecond steps."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the runner ended with {self.process.returncode}; see {self.log}")
        return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's clock id of another process

    def memory(self):
        """KiB by name, from smaps_rollup. Pages of a file written moments ago would count as dirty, hence sync."""
        os.sync()
        lines = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()[1:]
        values = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
        return {name: values[name] for name in ("Rss", "Private_Dirty", "Anonymous")}

    def reset_peak(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak(self):
        """Highest RSS since reset_peak, in KiB."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        raise RuntimeError("no VmHWM")
