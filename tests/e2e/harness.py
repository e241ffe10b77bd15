"""Starts par-local-backend and par-runner, gives tasks to the one and collects what the other did.

    with Backend() as backend, Runner(backend, allow=["com.datadoghq.http.request"]) as runner:
        task = backend.run({"action": "com.datadoghq.http.request", "inputs": {"verb": "GET", "url": url}})
        assert task["state"] == "succeeded", task

The requests of Backend are those of plugin-api/devkit/local-backend/README.md. Programs come from PAR_BUILD_DIR
(build/<preset>): bin/par-local-backend, bin/par-runner, plugins/. Standard library only.
"""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from canary import Canaries

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/services"))
from service import variables  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PAR_BUILD_DIR", ROOT / "build" / "release")).resolve()

# Generous: sanitizer builds on a loaded machine. Waits end as soon as what they wait for is there.
PATIENCE = 60.0

# The pull channel's constants, shortened so that tests do not wait for minutes.
FAST = {
    "loopIntervalMs": 50,
    "minBackoffMs": 50,
    "maxBackoffMs": 400,
    "waitBeforeRetryMs": 1000,
    "heartbeatIntervalMs": 200,
    "healthCheckIntervalMs": 300,
}


def program(name):
    """Path of a built program; skips the test if it is not there."""
    path = BUILD / "bin" / name
    if not path.exists():
        raise unittest.SkipTest(f"{path} is not built (set PAR_BUILD_DIR)")
    return str(path)


def wait_until(condition, what, patience=PATIENCE, pause=0.02):
    """Returns the first true value of condition(); fails with `what` (text or function) when patience ends."""
    limit = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"not within {patience} s: {what() if callable(what) else what}")
        time.sleep(pause)


def service(name):
    """The variables of a server of tests/services that runs as a fixture (SERVICES = [name] in the test's module); skips the
    test if the server cannot be had here. By hand: tests/services/service.py up NAME build/<preset>/services/NAME."""
    directory = BUILD / "services" / name
    skipped = directory.with_name(name + ".skipped")
    if skipped.exists():
        raise unittest.SkipTest(f"{name}: {skipped.read_text().strip()}")
    if not (directory / "env").exists():
        raise AssertionError(f"{name} is not running: tests/services/service.py up {name} {directory}")
    return variables(directory)


def token_auth(**tokens):
    """Content of a credential file with these tokens."""
    return {"auth_type": "Token Auth",
            "credentials": [{"tokenName": name, "tokenValue": value} for name, value in tokens.items()]}


def basic_auth(**users):
    """Content of a credential file with these users and their passwords."""
    return {"auth_type": "Basic Auth",
            "credentials": [{"username": name, "password": value} for name, value in users.items()]}


def free_port():
    """A TCP port that nobody listens on, for a program that is told its port. Below the range from which the kernel serves
    connections and "any port": from there another test gets it before the program has started."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, first) if first > 11_000 else 0
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return probe.getsockname()[1]


def status(port, path):
    """What the local server of a runner answers on this machine's side; None as long as nobody does."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


class Backend:
    """A par-local-backend in a directory of its own. Extra words go to `start`, such as "--http"."""

    def __init__(self, *arguments, directory=None):
        self._own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="par-backend-"))
        self.arguments = [str(argument) for argument in arguments]
        self.process = None
        self.endpoint = {}

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Starts it, or starts it again after stop() with the same identity, keys and port."""
        port = ["--port", str(self.endpoint["port"])] if self.endpoint else []
        self.log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen(
            [program("par-local-backend"), "start", "--dir", str(self.directory), *self.arguments, *port],
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready:"):
            raise AssertionError(f"par-local-backend did not start: {(self.directory / 'log').read_text()}")
        self.endpoint = json.loads((self.directory / "endpoint.json").read_text())
        return self

    def stop(self):
        """Ends it; the directory stays, so start() continues where it was (without the queue)."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
        code, self.process = self.process.returncode, None
        if code != 0:
            raise AssertionError(f"par-local-backend ended with {code}: {(self.directory / 'log').read_text()}")

    def close(self):
        try:
            self.stop()
        finally:
            if self._own_directory:
                shutil.rmtree(self.directory, ignore_errors=True)

    def __getattr__(self, name):  # backend.url, backend.urn, backend.org_id, backend.ca_file, ...
        endpoint = self.__dict__.get("endpoint", {})
        if name in endpoint:
            return endpoint[name]
        raise AttributeError(name)

    def call(self, method, target, body=None):
        """One request of the control API; returns the JSON of the answer, raises AssertionError with its error."""
        address = urllib.parse.urlsplit(self.endpoint["control_url"])
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=700)
        try:
            connection.request(method, target, None if body is None else json.dumps(body),
                               {"Authorization": "Bearer " + self.endpoint["control_token"]})
            answer = connection.getresponse()
            content = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise AssertionError(f"{method} {target}: {answer.status} {content.get('error')}")
        return content

    # Tasks
    def enqueue(self, task):
        """Queues one task (or a list of tasks); returns its id, or the list of ids if there are several."""
        ids = self.call("POST", "/tasks", task)["task_ids"]
        return ids[0] if len(ids) == 1 else ids

    def task(self, task_id, patience=0.0):
        return self.call("GET", f"/tasks/{urllib.parse.quote(task_id, safe='')}?timeout_ms={int(patience * 1000)}")

    def wait(self, task_id, patience=PATIENCE):
        """The task with its outcome."""
        task = self.task(task_id, patience)
        if task["state"] not in ("succeeded", "failed"):
            raise AssertionError(f"no outcome within {patience} s: {task}; events: {self.digest()}")
        return task

    def run(self, task, patience=PATIENCE):
        """Queues a task and returns it with its outcome."""
        return self.wait(self.enqueue(task), patience)

    def run_all(self, tasks, patience=PATIENCE):
        """Queues all tasks at once and returns them in this order with their outcomes."""
        return [self.wait(task_id, patience) for task_id in self.call("POST", "/tasks", list(tasks))["task_ids"]]

    def forget(self, task_id):
        return self.call("POST", f"/tasks/{urllib.parse.quote(task_id, safe='')}/forget")

    def wait_published(self, count, patience=PATIENCE):
        """Statistics as soon as `count` results have been accepted since the last flush."""
        statistics = self.call("GET", f"/statistics?published={count}&timeout_ms={int(patience * 1000)}")
        if statistics["published"] < count:
            raise AssertionError(f"{statistics['published']} of {count} published within {patience} s: {statistics}")
        return statistics

    def adopt(self, urn, private_key):
        """Lets the runner of a finished configuration in; its organisation must be this backend's (--org)."""
        jwk = json.loads(base64.urlsafe_b64decode(private_key + "=" * (-len(private_key) % 4)))
        del jwk["d"]
        adopted = self.call("POST", "/runners", {"runner_id": urn.rpartition(":")[2], "jwk": jwk})
        if adopted["urn"] != urn:
            raise AssertionError(f"the backend knows it as {adopted['urn']}, not as {urn}")

    # What happened
    def statistics(self):
        return self.call("GET", "/statistics")

    def events(self, kind="", after=0):
        """All events so far, oldest first."""
        found = []
        while True:
            answer = self.call("GET", f"/events?after={after}&kind={kind}")
            found += answer["events"]
            if not answer["events"]:
                return found
            after = answer["next"]

    def last_event(self):
        """Sequence number of the newest event, for `after`."""
        answer = self.call("GET", "/events?after=9007199254740991")
        return answer["next"]

    def wait_event(self, kind, after=0, where=lambda event: True, patience=PATIENCE):
        """The first event of that kind after that sequence number for which where(event) is true."""
        return wait_until(lambda: next((event for event in self.events(kind, after) if where(event)), None),
                          lambda: f"a {kind} event; events: {self.digest()}", patience)

    def digest(self, most=30):
        """The newest events in short, for error texts."""
        return [(event["kind"], event["status"], event.get("task_id"), event.get("note"))
                for event in self.events()[-most:]]

    def flush(self):
        self.call("POST", "/flush")

    # Trouble
    def fault(self, route, **what):
        """fault("dequeue", status=503, times=3); returns the fault's id."""
        return self.call("POST", "/faults", {"route": route, **what})["fault_id"]

    def clear_faults(self):
        self.call("DELETE", "/faults")

    def delays(self, **milliseconds):
        """delays(dequeue=20): each answer of the route that much later. Without arguments: none any more."""
        self.call("PUT", "/delays", milliseconds)

    def pacing(self, retry_after_ms=None):
        self.call("PUT", "/pacing", {} if retry_after_ms is None else {"retry_after_ms": retry_after_ms})

    # Keys and Remote Config
    def put_key(self, key_id, **properties):
        return self.call("PUT", f"/keys/{key_id}", properties)

    def withdraw_key(self, key_id):
        return self.call("DELETE", f"/keys/{key_id}")

    def rotate_keys(self, key_type="ed25519"):
        """A new key signs, the old one is withdrawn; returns the new id."""
        return self.call("POST", "/keys/rotate", {"type": key_type})["id"]

    def damage_remote_config(self, damage=None, **where):
        return self.call("PUT", "/remote-config", {} if damage is None else {"damage": damage, **where})

    def rotate_root(self):
        return self.call("POST", "/remote-config/rotate-root")


class Runner:
    """A par-runner that polls `backend`, in a configuration directory of its own.

    `config` adds to or replaces keys of config.yaml, `environment` adds variables (None removes one), `wrapper` are words before
    the program of the service, such as ["unshare", "--net"]; that program must replace itself by the runner. What a test makes
    with `canaries` (or puts under their watch) is searched in the log and in all published error texts when it ends.
    """

    def __init__(self, backend, allow=(), remote_config=False, config=None, environment=None, arguments=(), wrapper=()):
        self.backend = backend
        self.canaries = Canaries()
        self.wrapper = list(wrapper)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="par-runner-"))
        (self.directory / "credentials").mkdir()
        self.config = {
            "ddBaseURL": "https://app.datadoghq.com",
            "apiURL": backend.url,
            "remoteConfigURL": backend.url,
            "urn": backend.urn,
            "privateKey": backend.private_key,
            "modes": ["pull"],
            "port": 0,
            "actionsAllowlist": list(allow),
            "pluginsDirectory": str(BUILD / "plugins"),
            "logFormat": "json",
            "logLevel": "debug",
            **FAST,
        }
        if backend.url.startswith("http:"):
            self.config["allowInsecureURLs"] = True
        if remote_config:
            self.config["remoteConfigRoot"] = backend.root_file
        else:
            self.config["keysDirectory"] = backend.keys_directory
        self.config.update(config or {})
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "DD_PRIVATE_RUNNER_CONFIG_DIR": str(self.directory),
            "SSL_CERT_FILE": backend.ca_file,
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
            **(environment or {}),
        }
        self.arguments = list(arguments)
        self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, _kind, error, _trace):
        if error is not None:
            ended = "" if self.running() or self.process is None else f", which had ended with {self.process.poll()}"
            error.add_note(f"the log of par-runner{ended}:\n{self.tail()}")
        self.close()

    def write_config(self, **changes):
        """Writes config.yaml (JSON is YAML) with these changes; a value None removes the key."""
        self.config.update(changes)
        text = json.dumps({key: value for key, value in self.config.items() if value is not None}, indent=1)
        temporary = self.directory / "config.yaml.new"
        temporary.write_text(text)
        temporary.chmod(0o600)
        temporary.rename(self.directory / "config.yaml")

    def write_credentials(self, name, content):
        """Writes a credential file; returns its path, which a connection's token gives as "file". See token_auth, basic_auth."""
        path = self.directory / "credentials" / name
        path.write_text(json.dumps(content))
        return str(path)

    def token_connection(self, name, **tokens):
        """A connection whose root tokens stand in a credential file of that name; tokens that are None are left out of the file only."""
        path = self.write_credentials(name, token_auth(**{token: value for token, value in tokens.items() if value is not None}))
        return {"auth": "token", "tokens": [{"name": f"root_tokens.{token}", "file": path} for token in tokens]}

    def command(self, *arguments, **options):
        """Runs par-runner with these arguments to its end, such as command("--check"); returns CompletedProcess."""
        if not (self.directory / "config.yaml").exists():
            self.write_config()
        return subprocess.run([program("par-runner"), *arguments], env=self._environment(), capture_output=True,
                              text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, **options)

    def start(self):
        self.write_config()
        self.output = open(self.directory / "log", "ab")
        self.process = subprocess.Popen([*self.wrapper, program("par-runner"), *self.arguments], env=self._environment(),
                                        stdout=self.output, stderr=self.output, stdin=subprocess.DEVNULL)
        return self

    def _environment(self):
        return {name: value for name, value in self.environment.items() if value is not None}

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_polling(self, patience=PATIENCE):
        """Returns once the backend has seen a dequeue of this run."""
        after = self.backend.last_event()
        self.backend.wait_event("dequeue", after, patience=patience)
        return self

    def send_signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait_exit(self, patience=PATIENCE):
        """The exit code, once the process has ended by itself or by send_signal()."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"par-runner did not end within {patience} s:\n{self.tail()}") from None

    def stop(self, number=signal.SIGTERM, patience=PATIENCE):
        """Sends the signal, waits, returns the exit code."""
        if self.running():
            self.send_signal(number)
        code = self.wait_exit(patience)
        self.output.close()
        self.process = None
        return code

    def close(self):
        """Ends it, and fails if it crashed or a sanitizer complained."""
        code = None
        try:
            if self.process is not None:
                crashed = self.process.poll() not in (None, 0)
                if self.running():
                    self.send_signal()
                try:
                    code = self.process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
                    raise AssertionError(f"par-runner did not end after SIGTERM:\n{self.tail()}") from None
                finally:
                    self.output.close()
                    self.process = None
                log = self.text()
                if "Sanitizer" in log or "runtime error:" in log:
                    raise AssertionError(f"a sanitizer complained:\n{log[-20000:]}")
                if crashed and code < 0:
                    raise AssertionError(f"par-runner died of signal {-code}:\n{self.tail()}")
                self.assert_no_canary()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def assert_no_canary(self, *texts):
        """Fails if a secret of `canaries` stands in the log, in a published error text or in one of these texts."""
        if not self.canaries:
            return
        self.canaries.assert_none_in("the runner's log", self.text())
        for event in self.backend.events("publish"):
            if "error_details" in event["body"]:
                self.canaries.assert_none_in(f"the published error of {event.get('task_id')}", event["body"])
        for text in texts:
            self.canaries.assert_none_in("a text of the test", text)

    def text(self):
        """Everything it wrote to standard output and standard error."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def tail(self, lines=40):
        return "\n".join(self.text().splitlines()[-lines:])

    def log_lines(self):
        """The JSON lines of its log."""
        found = []
        for line in self.text().splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found

    def wait_log(self, text, patience=PATIENCE):
        """The first log line that contains `text`."""
        return wait_until(lambda: next((line for line in self.text().splitlines() if text in line), None),
                          lambda: f"log line with {text!r}:\n{self.tail()}", patience)


class SharedRunner(unittest.TestCase):
    """Cases that share one backend and one runner, started once for the class: for many cheap cases. CTest runs the whole
    class as one test. Subclasses set ALLOW, perhaps CONFIG; and extend setUpClass for servers and credentials."""

    TOGETHER = True
    ALLOW = ()
    CONFIG = {}

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.enterClassContext(Backend())
        cls.runner = cls.enterClassContext(Runner(cls.backend, allow=cls.ALLOW, config=cls.CONFIG,
                                                  environment=cls.environment()))

    @classmethod
    def environment(cls):
        """Variables of the runner; cls.backend has started."""
        return {}

    def tearDown(self):
        self.runner.assert_no_canary()
