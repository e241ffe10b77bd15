"""com.datadoghq.postgresql: logging in, TLS, what the environment and the policy may do, and servers that fail or hang."""
import os
import pathlib
import socket
import subprocess
import threading
import time
import unittest

from harness import Backend, Runner, free_port, wait_until
from postgresql import NAMESPACE, PostgresqlCase, Server, connection, fake_server_that, refuses_tls, says_nothing, task
from test_policy import METADATA, in_namespace

SERVICES = ["postgresql"]

ONE = {"columns": ["1"], "table": "generate_series(1, 1)"}


def sleep(seconds, mark):
    return {"columns": [f"sleep_then({seconds}, '{mark}')"], "table": "generate_series(1, 1)"}


class Login(PostgresqlCase):
    def test_who_may_log_in(self):
        self.assertEqual(self.rows("1", "orders LIMIT 1"), [[1]])
        odd = {"user": self.server["PG_ODD_USER"], "password": self.server["PG_ODD_PASSWORD"]}
        for sslmode in ("disable", "require"):
            self.assertEqual(self.rows("user", "orders LIMIT 1", {**odd, "sslmode": sslmode}), [["par_odd"]])
        wrong = self.runner.canaries.make("password")
        refused = {
            "wrong password": ({"password": wrong}, "password authentication failed for user \"par_rw\"; check the tokens user and password"),
            "unknown role": ({"user": "nobody's", "password": wrong}, "password authentication failed for user \"nobody's\""),
            "expired role": ({"user": "par_expired", "password": "no-longer-valid"}, "password authentication failed for user \"par_expired\""),
            "unknown database": ({"database": "nosuch"}, "database \"nosuch\" does not exist"),
            "a URI is only a name": ({"database": "postgresql://127.0.0.9/other"}, "database \"postgresql://127.0.0.9/other\" does not exist"),
            "rejected database": ({"database": "par_denied"}, "pg_hba.conf rejects connection"),
            "only over TLS": ({"user": self.server["PG_TLS_USER"], "password": self.server["PG_TLS_PASSWORD"]}, "set the token sslmode to require"),
            "client certificate": ({"user": "par_cert", "sslmode": "require"}, "requires a valid client certificate"),
        }
        for name, (tokens, text) in refused.items():
            with self.subTest(name):
                details = self.failure("select", ONE, tokens)
                self.assertIn(text, details)
                self.assertIn(f"cannot connect to PostgreSQL at 127.0.0.1:{self.server['PG_PORT']} (database ", details)

    def test_what_is_missing_or_wrong_in_the_connection_is_named(self):
        self.assertIn("lacks the tokens \"user\", \"sslmode\"", self.failure("select", ONE, {"user": None, "sslmode": None}))
        for tokens, text in (({"sslmode": "prefer"}, "expected require or disable"), ({"port": "0"}, "from 1 to 65535"),
                             ({"host": "/var/run/postgresql"}, "expected one host name")):
            with self.subTest(text):
                self.assertIn(text, self.failure("testConnection", {}, tokens))
        # The file lacks a token that the connection names.
        partial = connection(self.runner, self.server.tokens(sslmode=None), "partial.json")
        path = partial["tokens"][0]["file"]
        partial["tokens"].append({"name": "root_tokens.sslmode", "file": path})
        outcome = self.backend.run(task("select", ONE, partial))["outcome"]
        self.assertEqual(outcome["error_code"], 1)
        for text in (path, "\"sslmode\"", "\"host\", \"port\", \"user\", \"password\", \"database\""):
            self.assertIn(text, outcome["error_details"])

    def test_test_connection_echoes_the_tokens_without_the_password(self):
        self.assertEqual(self.outputs("testConnection", {}, {"port": "1", "searchPath": "shop"}), {
            "host": "127.0.0.1", "port": "1", "user": "par_rw", "password": "********", "database": "par", "sslmode": "disable",
            "applicationName": "par-runner", "searchPath": "shop"})

    def test_certificates_are_verified_as_the_mode_says(self):
        ca, other = (pathlib.Path(self.server[name]).read_text() for name in ("PG_CA", "PG_OTHER_CA"))
        tls = {"user": self.server["PG_TLS_USER"], "password": self.server["PG_TLS_PASSWORD"]}
        unnamed = {"host": self.server["PG_HOST_WITHOUT_NAME"]}
        for name, tokens in {"require": {"sslmode": "require"}, "require, no name": {"sslmode": "require", **unnamed},
                             "verify-ca": {"sslmode": "verify-ca", "sslrootcert": ca},
                             "verify-ca, no name": {"sslmode": "verify-ca", "sslrootcert": ca, **unnamed},
                             "verify-full": {"sslmode": "verify-full", "sslrootcert": ca},
                             "verify-full, two CAs": {"sslmode": "verify-full", "sslrootcert": other + ca},
                             "verify-full, by name": {"sslmode": "verify-full", "sslrootcert": ca, "host": "localhost"}}.items():
            with self.subTest(name):
                self.assertEqual(self.rows("1", "orders LIMIT 1", {**tls, **tokens}), [[1]])
        for name, (tokens, text) in {
                "wrong CA": ({"sslmode": "verify-ca", "sslrootcert": other}, "certificate verify failed; the server's certificate is not issued"),
                "require with a wrong CA": ({"sslmode": "require", "sslrootcert": other}, "certificate verify failed"),
                "not among the runner's roots": ({"sslmode": "verify-full"}, "certificate verify failed"),
                "wrong name": ({"sslmode": "verify-full", "sslrootcert": ca, **unnamed}, "does not match host name \"127.0.0.2\"; set the token host"),
                "no certificate in it": ({"sslmode": "verify-ca", "sslrootcert": "/etc/ssl/ca.pem"}, "expected PEM text"),
                "a damaged one": ({"sslmode": "verify-ca", "sslrootcert": ca.replace("M", "?", 3)}, "could not read root certificate file \"sslrootcert\"")}.items():
            with self.subTest(name):
                self.assertIn(text, self.failure("select", ONE, {**tls, **tokens}))


class Faults(PostgresqlCase):
    def test_a_server_that_is_down_refuses_tls_or_says_nothing(self):
        with fake_server_that(says_nothing) as silent, fake_server_that(refuses_tls) as plain:
            tokens = self.server.tokens(port=str(silent))
            waiting = self.backend.enqueue(task("select", ONE, connection(self.runner, tokens, "silent.json")))
            details = self.failure("select", ONE, {"port": str(free_port())})
            self.assertIn("Connection refused; is the server running", details)
            self.assertIn("set the token sslmode to disable", self.failure("select", ONE, {"port": str(plain), "sslmode": "require"}))
            # The task's own limit, shorter than that of a connection.
            begin = time.monotonic()
            details = self.failure("select", {**ONE, "timeout": 1}, {"port": str(silent)}, code=1)
            self.assertIn("time limit of 1 s exceeded: it was still connecting to PostgreSQL", details)
            self.assertLess(time.monotonic() - begin, 9)
            outcome = self.backend.wait(waiting)["outcome"]
            self.assertEqual(outcome["error_code"], 2)
            self.assertIn("no answer from 127.0.0.1 in time (the limit for all addresses is 10 s)", outcome["error_details"])

    def test_an_unknown_host_is_named(self):
        self.assertIn("nosuch.invalid", self.failure("select", ONE, {"host": "nosuch.invalid"}))

    def active(self, mark):
        return self.server.psql(f"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%{mark}%' AND pid <> pg_backend_pid()")

    def start(self, mark, **inputs):
        """A task whose query is running, and the server's process."""
        sleeping = self.backend.enqueue(task("select", {**sleep(60, mark), **inputs}, self.plain))
        return sleeping, int(wait_until(lambda: self.active(mark), "the query is active"))

    def test_the_time_limit_ends_the_query_on_the_server(self):
        sleeping, _ = self.start("limited", timeout=2)
        outcome = self.backend.wait(sleeping)["outcome"]
        self.assertEqual(outcome["error_code"], 1)
        self.assertIn("time limit of 2 s exceeded: PostgreSQL ended the statement: canceling statement due to user request (SQLSTATE 57014)",
                      outcome["error_details"])
        self.assertEqual(self.active("limited"), "")

    def test_a_role_with_a_shorter_limit_has_an_error_of_its_own(self):
        details = self.failure("select", sleep(60, "x"), {"user": "par_odd_settings", "password": "odd-settings"})
        self.assertEqual(details, "canceling statement due to statement timeout (SQLSTATE 57014)")

    def test_a_server_that_no_longer_answers_is_left(self):
        sleeping, process = self.start("frozen", timeout=3)
        os.kill(process, 19)  # SIGSTOP
        try:
            outcome = self.backend.wait(sleeping)["outcome"]
            self.assertEqual(outcome["error_code"], 1)
            self.assertIn("did not confirm in time that the statement was cancelled", outcome["error_details"])
        finally:
            os.kill(process, 18)  # SIGCONT
        wait_until(lambda: self.active("frozen") == "", "the query is gone")

    def test_a_session_that_the_administrator_ends(self):
        sleeping, process = self.start("ended")
        self.server.psql(f"SELECT pg_terminate_backend({process})")
        outcome = self.backend.wait(sleeping)["outcome"]
        self.assertEqual(outcome["error_code"], 2)
        self.assertIn("terminating connection due to administrator command (SQLSTATE 57P01)", outcome["error_details"])

    def test_a_connection_that_breaks(self):
        relay = Relay(int(self.server["PG_PORT"]))
        with fake_server_that(relay) as port:
            tokens = self.server.tokens(port=str(port))
            sleeping = self.backend.enqueue(task("select", sleep(60, "torn"), connection(self.runner, tokens, "relay.json")))
            wait_until(lambda: self.active("torn"), "the query is active")
            relay.cut()
            outcome = self.backend.wait(sleeping)["outcome"]
            self.assertEqual(outcome["error_code"], 2)
            self.assertIn("the connection to PostgreSQL was lost: ", outcome["error_details"])
        self.server.psql(f"SELECT pg_terminate_backend({self.active('torn')})")  # it does not look at its client

    def test_an_insert_that_waits_for_a_lock_ends_at_the_limit(self):
        blocker = threading.Thread(target=self.server.psql, args=("BEGIN; LOCK TABLE pairs; SELECT pg_sleep(2.5); COMMIT",))
        blocker.start()
        wait_until(lambda: self.server.psql("SELECT count(*) FROM pg_locks WHERE relation = 'pairs'::regclass AND granted") == "1", "the lock is held")
        done = self.run_action("insert", {"table": "pairs", "columns": ["a"], "values": [[1]], "timeout": 1})
        self.assertEqual(done["outcome"]["error_code"], 1)
        self.assertIn("whether it took effect is unknown", done["outcome"]["error_details"])
        blocker.join()
        self.assertEqual(self.server.psql("SELECT count(*) FROM pairs"), "0")


class Relay:
    """Passes bytes between a client and the server until it is cut."""

    def __init__(self, port):
        self.port = port
        self.pairs = []

    def __call__(self, client):
        server = socket.create_connection(("127.0.0.1", self.port))
        self.pairs += [client, server]
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self.copy, args=(source, target), daemon=True).start()

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass

    def cut(self):
        for end in self.pairs:
            end.shutdown(socket.SHUT_RDWR)


class Drain(unittest.TestCase):
    def test_a_stop_ends_the_query_on_the_server(self):
        server = Server()
        with Backend() as backend, Runner(backend, allow=[f"{NAMESPACE}.*"], config={"drainTimeoutSeconds": 1}) as runner:
            mark = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%drained%' AND pid <> pg_backend_pid()"
            sleeping = backend.enqueue(task("select", sleep(60, "drained"), connection(runner, server.tokens())))
            short = backend.enqueue(task("select", sleep(1, "finished"), connection(runner, server.tokens())))
            wait_until(lambda: server.psql(mark) == "1", "the query is active")
            self.assertEqual(runner.stop(), 0)
            outcome = backend.wait(sleeping)["outcome"]
            self.assertEqual(outcome["error_code"], 1)
            self.assertIn("PostgreSQL ended the statement", outcome["error_details"])
            self.assertEqual(server.psql(mark), "0")
            self.assertIn(backend.wait(short)["state"], ("succeeded", "failed"))


class Environment(unittest.TestCase):
    def test_neither_variables_nor_files_of_libpq_have_an_effect(self):
        server = Server()
        with fake_server_that(says_nothing) as trap, Backend() as backend:
            runner = Runner(backend, allow=[f"{NAMESPACE}.*"])
            home = runner.directory / "home"
            (home / ".postgresql").mkdir(parents=True)
            (home / ".postgresql" / "root.crt").write_text(pathlib.Path(server["PG_OTHER_CA"]).read_text())
            (home / ".postgresql" / "postgresql.crt").write_text("no certificate")
            service_file = f"[trap]\nhost=127.0.0.1\nport={trap}\nsslmode=verify-full\noptions=-c search_path=shop\n"
            (home / ".pg_service.conf").write_text(service_file)
            (home / "services").write_text(service_file)
            (home / ".pgpass").write_text("*:*:*:*:other-password\n")
            (home / ".pgpass").chmod(0o600)
            variables = {
                "HOME": str(home), "PGHOST": "127.0.0.1", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(trap), "PGUSER": "postgres",
                "PGPASSWORD": "other-password", "PGPASSFILE": str(home / ".pgpass"), "PGDATABASE": "postgres", "PGSERVICE": "nosuch",
                "PGSERVICEFILE": str(home / "services"), "PGSYSCONFDIR": str(home), "PGOPTIONS": "-c search_path=shop", "PGSSLMODE": "verify-full",
                "PGREQUIRESSL": "1", "PGSSLROOTCERT": server["PG_OTHER_CA"], "PGSSLCERT": str(home / "nosuch.crt"), "PGSSLMINPROTOCOLVERSION": "TLSv1.3",
                "PGSSLMAXPROTOCOLVERSION": "TLSv1.2", "PGAPPNAME": "other", "PGTZ": "Asia/Tokyo", "PGDATESTYLE": "German", "PGGEQO": "off",
                "PGCLIENTENCODING": "LATIN1", "PGCONNECT_TIMEOUT": "2", "PGTARGETSESSIONATTRS": "standby", "PGGSSENCMODE": "require",
                "PGCHANNELBINDING": "require", "PGREQUIREPEER": "other", "PGLOADBALANCEHOSTS": "random", "PGREQUIREAUTH": "none"}
            # They do have one on a client that lets them.
            client = subprocess.run([server["PG_BIN"] + "/psql", "-Xc", "SELECT 1"], env=variables, capture_output=True, text=True)
            self.assertIn("service", client.stderr)
            runner.environment.update(variables)
            with runner:
                inputs = {"columns": ["count(*)", "'ü'", "'2026-01-02 03:04:05+00'::timestamptz",
                                      "(SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('application_name', 'geqo', 'TimeZone'))"],
                          "table": "orders"}
                for sslmode in ("disable", "require"):
                    with self.subTest(sslmode):
                        done = backend.run(task("select", inputs, connection(runner, server.tokens(sslmode=sslmode))))
                        self.assertEqual(done["state"], "succeeded", done)
                        self.assertEqual(done["outcome"]["outputs"]["results"], [[1000, "ü", "2026-01-02T03:04:05Z", "UTC par-runner on"]])

    def test_libpq_is_loaded_with_the_plugin_and_trusts_the_runners_roots(self):
        server = Server()
        with Backend() as backend:
            runner = Runner(backend, allow=[f"{NAMESPACE}.*"])
            roots = runner.directory / "roots.pem"
            roots.write_text(pathlib.Path(backend.ca_file).read_text() + pathlib.Path(server["PG_CA"]).read_text())
            runner.environment["SSL_CERT_FILE"] = str(roots)
            with runner:
                runner.wait_polling()
                maps = pathlib.Path(f"/proc/{runner.process.pid}/maps")
                self.assertNotIn("libpq", maps.read_text())
                done = backend.run(task("select", ONE, connection(runner, server.tokens(sslmode="verify-full"))))
                self.assertEqual(done["state"], "succeeded", done)
                self.assertIn("libpq", maps.read_text())


class Policy(unittest.TestCase):
    def test_only_hosts_of_the_allowlist_are_reached(self):
        server = Server()
        with Backend() as backend, Runner(backend, allow=[f"{NAMESPACE}.*"], config={"allowlist": ["127.0.0.1"]}) as runner:
            def run(host):
                return backend.run(task("select", ONE, connection(runner, server.tokens(host=host))))

            self.assertEqual(run("127.0.0.1")["state"], "succeeded")
            for host in ("127.0.0.2", "localhost"):
                outcome = run(host)["outcome"]
                self.assertEqual(outcome["error_code"], 2)
                self.assertIn(f"host '{host}' is not allowed", outcome["error_details"])

    @in_namespace
    def test_the_metadata_addresses_are_refused(self):
        with socket.create_server((METADATA, 0)) as metadata, Backend() as backend, \
                Runner(backend, allow=[f"{NAMESPACE}.*"], config={"allowIMDSEndpoint": True}) as runner:
            metadata.setblocking(False)
            for host in (METADATA, f"::ffff:{METADATA}", "fd00:ec2::254", "2852039166"):
                with self.subTest(host):
                    tokens = {"host": host, "port": str(metadata.getsockname()[1]), "user": "u", "password": "some-password", "database": "d",
                              "sslmode": "disable"}
                    outcome = backend.run(task("select", ONE, connection(runner, tokens)))["outcome"]
                    self.assertEqual(outcome.get("error_code"), 2, outcome)
                    self.assertIn("cloud metadata endpoint", outcome["error_details"])
            with self.assertRaises(BlockingIOError):
                metadata.accept()
