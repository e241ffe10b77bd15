"""runWorkflow and getWorkflowResult against a real server, beside clients of Temporal's own SDKs, and what the plugin adds to the
runner's memory."""
import atexit
import json
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from processes import ROOT, Runner

SERVICE = ROOT / "tests/services/temporal"
NAMESPACE = "com.datadoghq.temporal"
MIB = 1024  # in KiB
QUEUE = "par-test"

# Starts `count` workflows, at most `width` at a time, and waits for their results, over one connection that stays open.
SDK_LOOP = """
import asyncio, sys, time, uuid
try:
    from temporalio.client import Client
except ImportError:
    sys.exit(0)

async def main(address, count, width):
    client = await Client.connect(address)
    gate = asyncio.Semaphore(width)
    async def one():
        async with gate:
            handle = await client.start_workflow("Echo", "x", id=str(uuid.uuid4()), task_queue="%s")
            await handle.result()
    await asyncio.gather(*(one() for _ in range(2 * width)))
    begin = time.monotonic()
    await asyncio.gather(*(one() for _ in range(count)))
    print(count / (time.monotonic() - begin))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
""" % QUEUE


class Server:
    """See tests/services/temporal/README.md."""

    def __init__(self, directory):
        self.directory = directory
        subprocess.run([SERVICE / "up.sh", directory], check=True, stdout=subprocess.DEVNULL)
        atexit.register(self.stop)
        self.variables = dict(line.split("=", 1) for line in (directory / "env").read_text().splitlines())
        self.address = self.variables["TEMPORAL_PLAIN_ADDRESS"]

    def stop(self):
        atexit.unregister(self.stop)
        subprocess.run([SERVICE / "down.sh", self.directory], check=True)

    def client(self, *words):
        subprocess.run([self.variables["TEMPORAL_PROGRAM"], "client", "--address", self.address, *words], check=True,
                       stdout=subprocess.DEVNULL)


def measure(bench):
    """Adds the rows of the figures to the Bench."""
    server = Server(bench.directory / "temporal")
    plain = {"auth": "token", "tokens": [{"name": "root_tokens.address", "plain_text": server.address}]}
    secure = bench.directory / "temporal-tls.json"
    tokens = {"serverAddress": server.variables["TEMPORAL_TLS_ADDRESS"],
              "serverRootCACertificate": (server.directory / "ca.crt").read_text()}
    secure.write_text(json.dumps({"auth_type": "Token Auth", "credentials": [
        {"tokenName": name, "tokenValue": value} for name, value in tokens.items()]}))
    tls = {"auth": "token", "tokens": [{"name": f"root_tokens.{name}", "file": str(secure)} for name in tokens]}

    backend = bench.backend("temporal-memory", "--allow", f"{NAMESPACE}.*")
    runner = Runner(bench.binaries, backend)
    memory_of_the_plugin(bench, backend, runner, plain, tls)
    runner.stop()
    backend.stop()
    for pool in (1, 10):
        backend = bench.backend(f"temporal-{pool}", "--allow", f"{NAMESPACE}.*")
        runner = Runner(bench.binaries, backend, pool)
        for label, connection in (("", plain), (" over TLS", tls)):
            round_trips(bench, backend, runner, connection, pool, label)
        runner.stop()
        backend.stop()
        sdk_round_trips(bench, server, pool)
    server.stop()


def memory_of_the_plugin(bench, backend, runner, plain, tls):
    def run(connection):
        backend.call("POST", "/flush")
        task = backend.call("POST", "/tasks", {"action": f"{NAMESPACE}.listWorkflows", "connection": connection})["task_ids"][0]
        return backend.call("GET", f"/tasks/{task}?timeout_ms=60000")["state"]

    backend.events("dequeue", timeout_ms=20000)
    time.sleep(2)
    memory = runner.memory()
    # A connection without an address fails after the plugin has been loaded and opened.
    for label, connection, state in (("loaded", {"auth": "token", "tokens": []}, "failed"), ("after its first task", plain, "succeeded"),
                                     ("after its first task over TLS", tls, "succeeded")):
        if run(connection) != state:
            raise RuntimeError(f"{label}: not {state}; see {backend.directory}")
        time.sleep(2)
        now = runner.memory()
        for name in now:
            bench.row(f"plugin {label}: {name} above the runner without it", (now[name] - memory[name]) / MIB, "MiB")
    seconds = 10 if bench.quick else 60
    spent = runner.cpu_seconds()
    time.sleep(seconds)
    bench.row("plugin used, idle: CPU per minute", (runner.cpu_seconds() - spent) * 1000 * 60 / seconds, "ms")


def round_trips(bench, backend, runner, connection, pool, label):
    """All workflows are started, then all results are waited for; each task makes a connection of its own."""

    def run(count):
        ids = [str(uuid.uuid4()) for _ in range(count)]
        backend.call("POST", "/flush")
        begin = time.monotonic()
        for done, (action, inputs) in enumerate((("runWorkflow", {"workflowType": "Echo", "taskQueue": QUEUE, "workflowArgs": ["x"]}),
                                                 ("getWorkflowResult", {})), start=1):
            backend.call("POST", "/tasks", [{"action": f"{NAMESPACE}.{action}", "inputs": {**inputs, "workflowId": workflow_id},
                                             "connection": connection} for workflow_id in ids])
            backend.wait_published(done * count)
        return time.monotonic() - begin

    run(2 * pool)  # warm: plugin loaded
    count = (20 if bench.quick else 100) * (1 if pool == 1 else 4)
    spent = runner.cpu_seconds()
    seconds = run(count)
    bench.row(f"start + result{label}: round trips per second, pool {pool}", count / seconds, "1/s")
    bench.row(f"start + result{label}: CPU of the runner, pool {pool}", (runner.cpu_seconds() - spent) * 1e6 / count, "us")


def sdk_round_trips(bench, server, width):
    def one(_):
        workflow_id = str(uuid.uuid4())
        server.client("start", "Echo", "--id", workflow_id, '"x"')
        server.client("result", workflow_id)

    count = 10 * width
    with ThreadPoolExecutor(width) as threads:
        begin = time.monotonic()
        list(threads.map(one, range(count)))
    bench.row(f"start + result: Go SDK, two processes each, {width} at a time", count / (time.monotonic() - begin), "1/s")
    loop = subprocess.run(["python3", "-c", SDK_LOOP, server.address, str((100 if width == 1 else 400)), str(width)],
                          check=True, capture_output=True, text=True).stdout
    if loop:
        bench.row(f"start + result: Python SDK, one connection, {width} at a time", float(loop), "1/s")
    else:
        print("  the Python SDK is not measured: there is no module temporalio", file=sys.stderr)
