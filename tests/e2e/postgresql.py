"""What the tests of com.datadoghq.postgresql share: the real server of tests/services/postgresql, connections and actions."""
import contextlib
import os
import socket
import subprocess
import threading

from harness import SharedRunner, service

NAMESPACE = "com.datadoghq.postgresql"


class Server:
    """The running server and its superuser."""

    def __init__(self):
        self.variables = service("postgresql")

    def __getitem__(self, name):
        return self.variables[name]

    def psql(self, sql, database="par", **options):
        """What the superuser's statement prints, unaligned and without headers."""
        environment = {**os.environ, "PGPASSWORD": self["PG_SUPER_PASSWORD"], "PGSSLMODE": "disable"}
        command = [self["PG_BIN"] + "/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self["PG_HOST"], "-p", self["PG_PORT"],
                   "-U", self["PG_SUPER_USER"], "-d", database, "-c", sql]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, **options).stdout.strip()

    def tokens(self, **changes):
        """The tokens of a working connection as par_rw, with these changes; None leaves one out."""
        tokens = {"host": self["PG_HOST"], "port": self["PG_PORT"], "user": self["PG_USER"], "password": self["PG_PASSWORD"],
                  "database": "par", "sslmode": "disable", **changes}
        return {name: value for name, value in tokens.items() if value is not None}


def connection(runner, tokens, name="postgresql.json"):
    """Writes a credential file with these tokens; the connection that a task then needs."""
    return runner.token_connection(name, **tokens)


def task(action, inputs, the_connection):
    return {"action": f"{NAMESPACE}.{action}", "inputs": inputs, "connection": the_connection}


class PostgresqlCase(SharedRunner):
    """Cases with one server, backend and runner. `self.plain` is the connection as par_rw without TLS."""

    ALLOW = (f"{NAMESPACE}.*",)

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        super().setUpClass()
        for name, value in cls.server.variables.items():
            if name.endswith("_PASSWORD"):
                cls.runner.canaries.watch(value)
        cls.plain = connection(cls.runner, cls.server.tokens())

    def run_action(self, action, inputs, tokens=None):
        """The finished task; `tokens` are changes to those of par_rw."""
        the_connection = self.plain if tokens is None else connection(self.runner, self.server.tokens(**tokens), "other.json")
        return self.backend.run(task(action, inputs, the_connection))

    def outputs(self, action, inputs, tokens=None):
        done = self.run_action(action, inputs, tokens)
        self.assertEqual(done["state"], "succeeded", done)
        return done["outcome"]["outputs"]

    def rows(self, columns, table, tokens=None, **inputs):
        columns = [columns] if isinstance(columns, str) else columns
        return self.outputs("select", {"columns": columns, "table": table, **inputs}, tokens)["results"]

    def failure(self, action, inputs, tokens=None, code=2):
        """The error text of a task that must fail."""
        done = self.run_action(action, inputs, tokens)
        self.assertEqual(done["state"], "failed", done)
        self.assertEqual(done["outcome"]["error_code"], code, done)
        return done["outcome"]["error_details"]

    def select_failure(self, columns, table, tokens=None, **inputs):
        return self.failure("select", {"columns": [columns], "table": table, **inputs}, tokens)


@contextlib.contextmanager
def fake_server_that(answer):
    """Listens on 127.0.0.1 and hands each connection to answer(socket) on a thread; yields the port. For faults that the real
    server cannot show."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    accepted.append(peer)
                    threading.Thread(target=answer, args=(peer,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for peer in accepted:
                peer.close()


def says_nothing(peer):
    """Takes what comes and never answers."""
    with contextlib.suppress(OSError):
        while peer.recv(4096):
            pass


def refuses_tls(peer):
    """Answers the request for TLS with N, as a server without it does."""
    with contextlib.suppress(OSError):
        peer.recv(8)
        peer.sendall(b"N")
        says_nothing(peer)
