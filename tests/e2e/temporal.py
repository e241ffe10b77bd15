"""The real Temporal servers of tests/services/temporal, seen with the client of their own SDK."""
import json
import pathlib
import subprocess
import uuid

from harness import PATIENCE, service

FQN = "com.datadoghq.temporal."
RUN, LIST, RESULT = FQN + "runWorkflow", FQN + "listWorkflows", FQN + "getWorkflowResult"


class Temporal:
    """`variables` are those of the server's env file; each object uses workflow ids of its own."""

    def __init__(self):
        self.variables = service("temporal")
        self.queue = self.variables["TEMPORAL_TASK_QUEUE"]
        self.prefix = "t-" + uuid.uuid4().hex[:8]

    def address(self, kind="plain"):
        return self.variables[f"TEMPORAL_{kind.upper()}_ADDRESS"]

    def port(self, kind="plain"):
        return int(self.address(kind).rpartition(":")[2])

    def file(self, name):
        """Content of a certificate, key or token, such as "CA", "CLIENT_KEY", "TOKEN_ADMIN"."""
        return pathlib.Path(self.variables[f"TEMPORAL_{name}"]).read_text()

    def id(self, name):
        return f"{self.prefix}-{name}"

    def seed(self, namespace="default"):
        """Starts one workflow per outcome and waits for each; rows with name, workflowId, runId, expect, isError."""
        output = self._program("seed", "--namespace", namespace, "--prefix", self.prefix + "-" + namespace)
        return [json.loads(line) for line in output.splitlines()]

    def client(self, *words, namespace="default"):
        """client("signal", id, "go", '"x"'); returns the JSON of its output, or None if there is none."""
        output = self._program("client", "--namespace", namespace, *words)
        return json.loads(output) if output.strip() else None

    def start(self, workflow_type, *arguments, name, queue=None, namespace="default", options=()):
        """Starts a workflow with the SDK; returns its ids."""
        started = self.client("start", workflow_type, "--id", self.id(name), "--queue", queue or self.queue, *options,
                              *map(json.dumps, arguments), namespace=namespace)
        return started["workflowId"], started["runId"]

    def _program(self, command, *words):
        done = subprocess.run([self.variables["TEMPORAL_PROGRAM"], command, "--address", self.address(), *words],
                              capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"{command} {words}: {done.stderr}")
        return done.stdout


def plain(address):
    """Connection to a server without TLS."""
    return {"auth": "token", "tokens": [{"name": "root_tokens.address", "plain_text": address}]}


def from_file(path, *names):
    """Connection whose tokens of these names stand in the credential file."""
    return {"auth": "token", "tokens": [{"name": f"root_tokens.{name}", "file": path} for name in names]}
