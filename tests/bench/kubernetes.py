"""getPod and listPod against a real API server, beside kubectl and a loop of a plain HTTP client."""
import atexit
import http.client
import json
import os
import resource
import shlex
import ssl
import subprocess
import time

from processes import ROOT, Runner

SERVICE = ROOT / "tests/services/kubernetes"
CORE = "com.datadoghq.kubernetes.core"
CONNECTION = {"auth": "token", "tokens": [{"name": "root_tokens.context", "plain_text": "bench"}]}
POOL = 10
MIB = 1024  # in KiB


class ApiServer:
    """See tests/services/kubernetes/README.md."""

    def __init__(self, directory):
        self.directory = directory
        subprocess.run([SERVICE / "up.sh", directory], check=True, stdout=subprocess.DEVNULL)
        atexit.register(self.stop)
        lines = [shlex.split(line)[1] for line in (directory / "env").read_text().splitlines()]
        self.variables = dict(line.split("=", 1) for line in lines)
        self.token_file = directory / "tokens/par-admin"
        tls = ssl.create_default_context(cafile=self.variables["PAR_K8S_CA"])
        tls.load_cert_chain(directory / "pki/setup.crt", directory / "pki/setup.key")
        self.connection = http.client.HTTPSConnection("127.0.0.1", int(self.variables["KUBERNETES_SERVICE_PORT"]), context=tls)

    def stop(self):
        atexit.unregister(self.stop)
        subprocess.run([SERVICE / "down.sh", self.directory], check=True)

    def create(self, path, body):
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"POST {path}: {answer.status} {content[:500]}")

    def namespace(self, name):
        self.connection.close()  # the server ends what was idle during a measurement; it is opened again by itself
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        return f"/api/v1/namespaces/{name}"

    def kubeconfig(self, home):
        """A home directory whose kubeconfig leads here with a token."""
        (home / ".kube").mkdir(parents=True)
        (home / ".kube/config").write_text(json.dumps({
            "current-context": "bench", "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
            "clusters": [{"name": "bench", "cluster": {"server": self.variables["PAR_K8S_URL"],
                                                       "certificate-authority": self.variables["PAR_K8S_CA"]}}],
            "users": [{"name": "bench", "user": {"token": self.token_file.read_text()}}]}))
        return home


def measure(bench):
    """Adds the rows of the figures to the Bench."""
    server = ApiServer(bench.directory / "kubernetes")
    home = server.kubeconfig(bench.directory / "kubernetes-home")
    backend = bench.backend("kubernetes-backend", "--allow", f"{CORE}.*")
    runner = Runner(bench.binaries, backend, POOL, {"HOME": str(home)})
    pod = json.loads((SERVICE / "objects/pod.json").read_text())
    lists = ((1, 1000), (100, 1000), (5000, 20 if bench.quick else 100))  # pods, tasks
    for pods, _ in lists:
        path = server.namespace(f"bench-{pods}")
        for number in range(pods):
            pod["metadata"]["name"] = f"pod-{number}"
            server.create(f"{path}/pods", pod)
    places = bench, server, home, backend, runner
    one_kind(*places, "getPod", "/api/v1/namespaces/bench-1/pods/pod-0", {"namespace": "bench-1", "name": "pod-0"}, 1000)
    for pods, count in lists:
        one_kind(*places, f"listPod of {pods}", f"/api/v1/namespaces/bench-{pods}/pods", {"namespace": f"bench-{pods}"}, count)
    large_lists(bench, server, backend, runner)
    runner.stop()
    backend.stop()
    server.stop()


def one_kind(bench, server, home, backend, runner, label, target, inputs, count):
    """`count` tasks, then the same request by the others."""
    task = {"action": f"{CORE}.{label.split()[0]}", "inputs": inputs, "connection": CONNECTION}

    def run(tasks):
        backend.call("POST", "/flush")
        backend.call("POST", "/tasks", {**task, "count": tasks})
        backend.wait_published(tasks, seconds=600)

    run(2 * POOL)  # warm: connections open, plugin loaded
    before = runner.cpu_seconds()
    run(count)
    cpu_us = (runner.cpu_seconds() - before) * 1e6 / count
    times = sorted(event["time_ms"] for event in backend.events("publish"))
    bench.row(f"{label}: actions per second, pool {POOL}", (len(times) - 1) * 1000 / max(times[-1] - times[0], 1), "1/s")
    bench.row(f"{label}: CPU per action", cpu_us, "us")

    loop = subprocess.run([bench.binaries / "bench_get_loop", "127.0.0.1", server.variables["KUBERNETES_SERVICE_PORT"],
                           server.variables["PAR_K8S_CA"], server.token_file, str(count), str(POOL), target],
                          check=True, capture_output=True, text=True).stdout.split()
    bench.row(f"{label}: plain client, requests per second, {POOL} threads", float(loop[0]), "1/s")
    bench.row(f"{label}: plain client, CPU per request", float(loop[1]), "us")
    bench.row(f"{label}: size of the answer", int(loop[2]) / 1024, "KiB")

    runs = 10
    environment = {"PATH": os.environ["PATH"], "HOME": home}
    spent, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for _ in range(runs):
        subprocess.run([server.variables["PAR_K8S_KUBECTL"], "get", "--raw", target], check=True, stdout=subprocess.DEVNULL,
                       env=environment)
    passed, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    bench.row(f"{label}: kubectl get --raw, requests per second, one after the other", runs / passed, "1/s")
    bench.row(f"{label}: kubectl get --raw, CPU per request",
              (after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime) * 1e6 / runs, "us")


def large_lists(bench, server, backend, runner):
    """Lists of about 12 MiB, which succeed, and of 24 MiB, which are refused: the runner's peak above what it held before."""
    text = "0123456789abcdef" * (800 * 1024 // 16)
    for label, count, expected in (("12 MiB", 15, "succeeded"), ("24 MiB, refused", 30, "failed")):
        name = f"large-{count}"
        path = server.namespace(name)
        for number in range(count):
            server.create(f"{path}/configmaps", {"metadata": {"name": f"large-{number}"}, "data": {"text": text}})
        for attempt in ("first", "second"):
            before = runner.memory()["Rss"]
            runner.reset_peak()
            backend.call("POST", "/flush")
            task = backend.call("POST", "/tasks", {"action": f"{CORE}.listConfigMap", "inputs": {"namespace": name},
                                                   "connection": CONNECTION})["task_ids"][0]
            state = backend.call("GET", f"/tasks/{task}?timeout_ms=60000")["state"]
            if state != expected:
                raise RuntimeError(f"the list of {label} {state}, expected: {expected}; see {backend.directory}")
            bench.row(f"list of {label}, {attempt}: peak above what was there", (runner.peak() - before) / MIB, "MiB",
                      3 * min(count * 800 / 1024, 15))
