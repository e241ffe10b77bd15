"""select up to the byte limit against a real server, beside psql with the same LIMIT, and what the plugin adds to the runner's memory."""
import atexit
import json
import os
import shlex
import subprocess
import sys
import time

from processes import ROOT, Runner

SERVICE = ROOT / "tests/services/postgresql"
NAMESPACE = "com.datadoghq.postgresql"
MIB = 1024  # in KiB


class Postgresql:
    """See tests/services/postgresql/README.md."""

    def __init__(self, directory):
        self.directory = directory
        subprocess.run([SERVICE / "up.sh", directory], check=True, stdout=subprocess.DEVNULL)
        atexit.register(self.stop)
        words = [shlex.split(line)[0] for line in (directory / "env").read_text().splitlines()]
        self.variables = dict(word.split("=", 1) for word in words)

    def stop(self):
        atexit.unregister(self.stop)
        subprocess.run([SERVICE / "down.sh", self.directory], check=True)

    def connection(self, file, sslmode):
        tokens = {"host": "127.0.0.1", "port": self.variables["PG_PORT"], "user": self.variables["PG_USER"],
                  "password": self.variables["PG_PASSWORD"], "database": "par", "sslmode": sslmode}
        file.write_text(json.dumps({"auth_type": "Token Auth", "credentials": [
            {"tokenName": name, "tokenValue": value} for name, value in tokens.items()]}))
        return {"auth": "token", "tokens": [{"name": f"root_tokens.{name}", "file": str(file)} for name in tokens]}

    def psql(self, sql):
        """Seconds and peak RSS in KiB of psql --csv, its output thrown away. A small process of its own starts it, since a child's
        peak counts what it was forked from."""
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": self.variables["PG_PASSWORD"], "PGSSLMODE": "disable"}
        command = [self.variables["PG_BIN"] + "/psql", "-X", "--csv", "-h", "127.0.0.1", "-p", self.variables["PG_PORT"],
                   "-U", self.variables["PG_USER"], "-d", "par", "-c", sql]
        script = ("import resource, subprocess, sys, time; begin = time.monotonic(); "
                  "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
                  "print(time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        output = subprocess.run([sys.executable, "-c", script, *command], env=environment, check=True, capture_output=True, text=True).stdout
        seconds, peak = output.split()
        return float(seconds), int(peak)


def measure(bench):
    """Adds the rows of the figures to the Bench."""
    server = Postgresql(bench.directory / "postgresql")
    backend = bench.backend("postgresql-backend", "--allow", f"{NAMESPACE}.*")
    runner = Runner(bench.binaries, backend)
    plain, tls = (server.connection(bench.directory / f"{mode}.json", mode) for mode in ("disable", "require"))

    def run(action, inputs, connection=plain):
        task = {"action": f"{NAMESPACE}.{action}", "inputs": inputs, "connection": connection}
        task_id = backend.call("POST", "/tasks", task)["task_ids"][0]
        done = backend.call("GET", f"/tasks/{task_id}?timeout_ms=120000")
        if done["state"] != "succeeded":
            raise RuntimeError(f"{action}: {done}")
        return done["outcome"]["outputs"]

    one = {"columns": ["1"], "table": "generate_series(1, 1)"}
    backend.events("dequeue", timeout_ms=20000)
    time.sleep(2)
    memory = runner.memory()
    for label, action, inputs, connection in (("loaded", "testConnection", {}, plain), ("after its first task", "select", one, plain),
                                              ("after its first task over TLS", "select", one, tls)):
        run(action, inputs, connection)
        time.sleep(2)
        now = runner.memory()
        for name in now:
            bench.row(f"plugin {label}: {name} above the runner without it", (now[name] - memory[name]) / MIB, "MiB")
    large_results(bench, server, backend, runner, run)
    runner.stop()
    backend.stop()
    server.stop()


def large_results(bench, server, backend, runner, run):
    for label, size in (("20 bytes", 20), ("1 KiB", 1024)):
        inputs = {"columns": [f"repeat('x', {size})"], "table": "generate_series(1, 2000000)"}
        rates, peaks, cpu = [], [], []
        for _ in range(2 if bench.quick else 5):
            before, spent = runner.memory()["Rss"], runner.cpu_seconds()
            runner.reset_peak()
            backend.call("POST", "/flush")
            outputs = run("select", inputs)
            taken, published = (next(event["time_ms"] for event in backend.events(kind) if event.get("task_id")) for kind in ("dequeue", "publish"))
            passed = (published - taken) / 1000
            if not outputs["truncatedResults"]:
                raise RuntimeError("the result should have been cut off")
            rows = len(outputs["results"])
            rates.append(rows / passed)
            peaks.append(runner.peak() - before)
            cpu.append((runner.cpu_seconds() - spent) * 1e6 / rows)
        statement = f"SELECT repeat('x', {size}) FROM generate_series(1, 2000000) LIMIT {rows}"
        seconds, resident = server.psql(statement)
        bench.row(f"rows of {label} up to 15 MiB: rows before the cut", rows, "")
        bench.row(f"rows of {label}: rows per second, from dequeue to publish", max(rates), "1/s")
        bench.row(f"rows of {label}: CPU of the runner per row", min(cpu), "us")
        bench.row(f"rows of {label}: peak above what was there", max(peaks) / MIB, "MiB", 60)
        bench.row(f"rows of {label}: psql --csv, rows per second", rows / seconds, "1/s")
        bench.row(f"rows of {label}: psql --csv, peak", resident / MIB, "MiB")
