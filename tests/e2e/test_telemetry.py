"""Metrics, as an Agent and as Prometheus get them, and what is said when no signing keys arrive."""
import math
import re
import shutil
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

from harness import Backend, Runner, free_port, wait_until
from servers import http_server, reply

REQUEST = "com.datadoghq.http.request"
PREFIX = "datadog.actions.private_runner."


class Agent:
    """Receives DogStatsD datagrams on a UDP port of loopback or on a unix socket."""

    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.metrics = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def named(self, name, count=1):
        """The first `count` metrics of that name, as (value, type, tags)."""
        def arrived():
            try:
                self.metrics += self.socket.recv(65536).decode().split("\n")
            except socket.timeout:
                pass
            found = [metric.split(":", 1)[1] for metric in self.metrics if metric.startswith(f"{PREFIX}{name}:")]
            return found if len(found) >= count else None

        found = wait_until(arrived, lambda: f"{count} x {name}: {self.metrics}", pause=0)
        parsed = []
        for metric in found:
            value, kind, tags = metric.split("|")
            assert tags.startswith("#"), metric
            parsed.append((value, kind, tags[1:].split(",")))
        return parsed


def exposition(text):
    """The text format of Prometheus, read strictly: {name: [(labels, value)]}. Raises ValueError for what the format forbids
    and for what promtool's linter complains about."""
    kinds, helps, samples, family = {}, set(), {}, None
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    for line in text.splitlines():
        meta = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line)
        if meta and meta[1] == "HELP":
            if meta[2] in helps:
                raise ValueError(f"second HELP: {line}")
            helps.add(meta[2])
            family = meta[2]
            continue
        if meta:
            if meta[2] in kinds or meta[2] != family or meta[3] not in ("counter", "gauge", "histogram"):
                raise ValueError(f"TYPE out of place: {line}")
            kinds[meta[2]] = meta[3]
            if (meta[3] == "counter") != meta[2].endswith("_total"):
                raise ValueError(f"a counter, and nothing else, ends in _total: {line}")
            continue
        sample = re.fullmatch(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)', line)
        if not sample:
            raise ValueError(f"not a sample: {line}")
        name = sample[1]
        base = re.sub(r"_(bucket|sum|count)$", "", name) if kinds.get(family) == "histogram" else name
        if base != family or family not in kinds:
            raise ValueError(f"a sample outside of its family: {line}")
        labels = dict(re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', sample[2] or ""))
        if any(labels == other for other, _ in samples.get(name, [])):
            raise ValueError(f"twice: {line}")
        samples.setdefault(name, []).append((labels, float(sample[3])))
    for name, kind in kinds.items():
        if kind == "histogram":
            check_histogram(name, samples)
        elif name not in samples:
            raise ValueError(f"{name} has no sample")
    return samples


def check_histogram(name, samples):
    for labels, count in samples[name + "_count"]:
        buckets = [(float(bound["le"]), value) for bound, value in samples[name + "_bucket"]
                   if {key: text for key, text in bound.items() if key != "le"} == labels]
        if buckets != sorted(buckets) or [value for _, value in buckets] != sorted(value for _, value in buckets):
            raise ValueError(f"buckets out of order: {buckets}")
        if buckets[-1] != (math.inf, count):
            raise ValueError(f"the last bucket is not the count: {buckets}, {count}")
        if not any(other == labels for other, _ in samples[name + "_sum"]):
            raise ValueError(f"no sum for {labels}")


def scrape(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


class Metrics(unittest.TestCase):
    def test_an_agent_and_prometheus_are_told_the_same(self):
        port = free_port()
        with Agent() as agent, Backend() as backend, http_server() as server, \
                http_server(lambda handler: reply(handler, 500, {})) as broken, \
                Runner(backend, allow=[REQUEST], config={"port": port, "tags": ["team:payments", "env:a,b"]},
                       environment={"STATSD_ENABLED": "true", "DD_AGENT_HOST": "127.0.0.1",
                                    "DD_DOGSTATSD_PORT": str(agent.port)}):
            self.assertEqual(backend.run(task(server.url))["state"], "succeeded")
            self.assertEqual(backend.run(task(broken.url))["state"], "failed")
            self.assertEqual(backend.run({"action": "com.datadoghq.http.unknown"})["state"], "failed")
            common = {f"runner_id:{backend.runner_id}", "pull:true", "team:payments", "env:a_b"}
            started = agent.named("executions.started", 2)[-1]
            completed = agent.named("executions.completed", 2)[-1]
            latency = agent.named("executions.latency", 2)[-1]
            self.assertEqual(started[:2], ("1", "c"))
            self.assertEqual(completed[:2], ("1", "c"))
            self.assertEqual(latency[1], "ms")
            self.assertGreaterEqual(float(latency[0]), 0)
            execution = {f"action_fqn:{REQUEST}", "action_client:WORKFLOWS"}
            version = next(tag for tag in started[2] if tag.startswith("runner_version:"))
            self.assertEqual(set(started[2]), common | execution | {version})
            self.assertEqual(set(completed[2]), common | execution | {version, "execution_result:error"})

            kind, text = scrape(port)
            self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
            samples = exposition(text)
            labels = {"action_fqn": REQUEST, "action_client": "WORKFLOWS"}
            self.assertEqual(samples["par_runner_executions_started_total"], [(labels, 2)])
            self.assertEqual(samples["par_runner_execution_duration_seconds_count"],
                             [({**labels, "execution_result": "error"}, 1), ({**labels, "execution_result": "success"}, 1)])
            self.assertEqual(samples["par_runner_refused_tasks_total"], [({"error_code": "2"}, 1)])
            self.assertEqual(samples["par_runner_running_executions"], [({}, 0)])
            self.assertEqual(samples["par_runner_ready"], [({}, 1)])
            if shutil.which("promtool"):
                lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
                self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))

    def test_an_agent_on_a_unix_socket_gets_the_keys_latency_too(self):
        with Backend() as backend, http_server() as server:
            runner = Runner(backend, allow=[REQUEST])
            path = str(runner.directory / "dsd.socket")
            runner.environment.update(STATSD_ENABLED="true", DD_DOGSTATSD_URL=f"unix://{path}")
            with Agent(path) as agent, runner:
                value, kind, tags = agent.named("keys_manager.startup_latency")[0]
                self.assertEqual(kind, "ms")
                self.assertLess(float(value), 60_000)
                self.assertIn(f"runner_id:{backend.runner_id}", tags)
                backend.run(task(server.url))
                self.assertIn("execution_result:success", agent.named("executions.completed")[0][2])

    def test_without_the_variable_nothing_is_sent(self):
        with Agent() as agent, Backend() as backend, http_server() as server, \
                Runner(backend, allow=[REQUEST], environment={"DD_DOGSTATSD_URL": f"udp://127.0.0.1:{agent.port}"}):
            self.assertEqual(backend.run(task(server.url))["state"], "succeeded")
            with self.assertRaises(TimeoutError):
                agent.socket.recv(65536)


class Keys(unittest.TestCase):
    def test_readiness_names_the_likely_cause_that_no_keys_arrive(self):
        port = free_port()
        with Backend("--remote-config") as backend:
            for key in backend.call("GET", "/keys")["keys"]:
                backend.withdraw_key(key["id"])
            with Runner(backend, allow=[REQUEST], remote_config=True, config={"port": port}):
                backend.wait_event("remote_config")
                wait_until(lambda: "is Remote Configuration enabled" in readiness(port), lambda: readiness(port))


def readiness(port):
    try:
        return scrape(port, "/readiness")[1]
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()
    except OSError:
        return ""


def task(url):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url}}
