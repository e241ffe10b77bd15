"""How the Temporal plugin reaches a server: TLS, client certificates, API keys, the operator's policy, and no way around it."""
import contextlib
import socket
import subprocess
import threading
import unittest

from harness import Backend, Runner, token_auth
from netns import METADATA, in_namespace
from servers import http_server
from temporal import FQN, LIST, RUN, Temporal, from_file, plain

SERVICES = ["temporal"]


class Connection(unittest.TestCase):
    TOGETHER = True

    @classmethod
    def setUpClass(cls):
        cls.temporal = Temporal()
        cls.backend = cls.enterClassContext(Backend())
        cls.runner = cls.enterClassContext(Runner(cls.backend, allow=[FQN + "*"]))
        for secret in ("CLIENT_KEY", "FOREIGN_KEY", "EXPIRED_KEY", "TOKEN_ADMIN", "TOKEN_READ", "TOKEN_FOREIGN",
                       "TOKEN_EXPIRED"):
            cls.runner.canaries.watch(cls.temporal.file(secret))

    def tearDown(self):
        self.runner.assert_no_canary()

    def outcome(self, action=LIST, inputs=None, **tokens):
        path = self.runner.write_credentials("temporal.json", token_auth(**tokens))
        return self.backend.run({"action": action, "inputs": inputs or {}, "connection": from_file(path, *tokens)})["outcome"]

    def works(self, *arguments, **tokens):
        outcome = self.outcome(*arguments, **tokens)
        self.assertIn("outputs", outcome)

    def fails(self, *texts, **arguments):
        outcome = self.outcome(**arguments)
        self.assertEqual(outcome.get("error_code"), 2, outcome)
        for text in texts:
            self.assertIn(text, outcome["error_details"])

    def tls(self, kind="tls", **changes):
        tokens = {"serverAddress": self.temporal.address(kind), "serverNameOverride": self.temporal.variables["TEMPORAL_SERVER_NAME"],
                  "serverRootCACertificate": self.temporal.file("CA"), **changes}
        return {name: value for name, value in tokens.items() if value is not None}

    def pair(self, name):
        return {"clientCertPairCrt": self.temporal.file(name + "_CERT"), "clientCertPairKey": self.temporal.file(name + "_KEY")}

    def test_tls(self):
        self.works(**self.tls())
        # Without an override the host's name is what the certificate must have.
        self.works(**self.tls(serverAddress=f"localhost:{self.temporal.port('tls')}", serverNameOverride=None))
        self.works(**self.tls(serverNameOverride=None))  # 127.0.0.1 is in the certificate too

    def test_a_server_that_cannot_be_trusted_is_refused_with_advice(self):
        for tokens, text in (
                (self.tls(serverRootCACertificate=self.temporal.file("OTHER_CA")), "did not sign the server's certificate"),
                (self.tls(serverRootCACertificate=None), "add the token \"serverRootCACertificate\""),
                (self.tls(serverNameOverride="other.par.test"), "into the token \"serverNameOverride\""),
                (self.tls("plain"), "the server speaks no TLS"),
                ({"address": self.temporal.address("tls")}, "does the server expect TLS")):
            with self.subTest(text):
                self.fails("UNAVAILABLE", text, **tokens)

    def test_mtls(self):
        self.works(**self.tls("mtls", **self.pair("CLIENT")))
        self.fails("does the server demand a client certificate", **self.tls("mtls"))
        for name in ("FOREIGN", "EXPIRED"):
            with self.subTest(name):
                self.fails("does the server accept this client certificate", **self.tls("mtls", **self.pair(name)))

    def test_client_certificates_that_cannot_be_used(self):
        pair, foreign = self.pair("CLIENT"), self.pair("FOREIGN")
        encrypted = subprocess.run(["openssl", "pkey", "-in", self.temporal.variables["TEMPORAL_CLIENT_KEY"], "-aes128",
                                    "-passout", "pass:canary-passphrase"], check=True, capture_output=True, text=True).stdout
        for changes, text in (
                ({"clientCertPairCrt": pair["clientCertPairCrt"]}, "without \"clientCertPairKey\""),
                ({"clientCertPairKey": pair["clientCertPairKey"]}, "without \"clientCertPairCrt\""),
                ({**pair, "clientCertPairKey": foreign["clientCertPairKey"]}, "does not belong to the certificate"),
                ({**pair, "clientCertPairKey": pair["clientCertPairCrt"]}, "\"clientCertPairKey\" holds no private key"),
                ({**pair, "clientCertPairKey": encrypted}, "\"clientCertPairKey\" is encrypted"),
                ({**pair, "clientCertPairCrt": pair["clientCertPairKey"]}, "\"clientCertPairCrt\" holds no certificate"),
                ({**pair, "clientCertPairCrt": pair["clientCertPairCrt"].replace("M", "?", 5)}, "is damaged"),
                ({**pair, "serverRootCACertificate": "none"}, "\"serverRootCACertificate\" holds no certificate")):
            with self.subTest(text):
                self.fails(text, **self.tls("mtls", **changes))

    def test_api_keys(self):
        start = {"action": RUN, "inputs": {"workflowType": "Echo", "taskQueue": self.temporal.queue, "workflowArgs": ["x"]}}
        self.works(**self.tls("jwt", apiKey=self.temporal.file("TOKEN_ADMIN")))
        self.works(**self.tls("jwt", apiKey=self.temporal.file("TOKEN_READ")))
        for arguments, texts in (
                (self.tls("jwt"), ("PERMISSION_DENIED", "the connection has no token \"apiKey\"")),
                (self.tls("jwt", apiKey=self.temporal.file("TOKEN_FOREIGN")), ("PERMISSION_DENIED", "\"apiKey\" valid")),
                (self.tls("jwt", apiKey=self.temporal.file("TOKEN_EXPIRED")), ("PERMISSION_DENIED", "\"apiKey\" valid")),
                ({**start, **self.tls("jwt", apiKey=self.temporal.file("TOKEN_READ"))}, ("StartWorkflowExecution", "PERMISSION_DENIED")),
                (self.tls("jwt", apiKey=self.temporal.file("TOKEN_ADMIN") + "\n"), ("\"apiKey\" has a line break",))):
            with self.subTest(texts):
                self.fails(*texts, **arguments)

    def test_a_token_that_the_file_lacks_is_named_with_those_that_it_has(self):
        path = self.runner.write_credentials("temporal.json", token_auth(**self.tls("jwt", apiKey=self.runner.canaries.make("apiKey"))))
        outcome = self.backend.run({"action": LIST, "connection": from_file(path, "serverAddress", "clientCertPairKey")})["outcome"]
        self.assertEqual(outcome.get("error_code"), 1, outcome)
        for text in (path, "clientCertPairKey", "serverAddress", "serverRootCACertificate", "apiKey"):
            self.assertIn(text, outcome["error_details"])

    def test_addresses(self):
        port = self.temporal.port()
        self.works(address=f"localhost:{port}")
        self.works(address=self.temporal.address(), serverRootCACertificate="left aside")
        for address, text in (("http://127.0.0.1:7233", "it is a URL"), ("127.0.0.1:port", "no number from 1 to 65535"),
                              ("two words", "no host name"), ("nowhere.invalid", "nowhere.invalid"),
                              ("127.0.0.1:1", "Connection refused"), ("[::1]:1", "Temporal at [::1]:1")):
            with self.subTest(address):
                self.fails(text, address=address)
        self.fails("neither a token \"address\"", apiKey=self.runner.canaries.make("apiKey", odd=False))


class WaysOut(unittest.TestCase):
    """What the plugin dials is what the host resolved and the policy allows; gRPC's own ways are closed."""

    def test_hosts_outside_the_allowlist_are_not_dialled(self):
        temporal = Temporal()
        with Backend() as backend, Runner(backend, allow=[LIST], config={"allowlist": ["127.0.0.*"]}):
            self.assertEqual(backend.run({"action": LIST, "connection": plain(temporal.address())})["state"], "succeeded")
            with silent_listener() as listener:
                outcome = backend.run({"action": LIST, "connection": plain(f"localhost:{listener.port}")})["outcome"]
                self.assertEqual(outcome.get("error_code"), 2, outcome)
                self.assertIn("host 'localhost' is not allowed", outcome["error_details"])
                self.assertEqual(listener.connections, [])

    @in_namespace
    def test_metadata_addresses_are_not_dialled(self):
        with http_server(address=METADATA) as metadata, Backend() as backend, \
                Runner(backend, allow=[LIST], config={"allowIMDSEndpoint": True}):
            for address in (f"{METADATA}:{metadata.port}", f"[::ffff:{METADATA}]:{metadata.port}"):
                outcome = backend.run({"action": LIST, "connection": plain(address)})["outcome"]
                self.assertEqual(outcome.get("error_code"), 2, outcome)
                self.assertIn("metadata endpoint", outcome["error_details"])
            self.assertEqual(metadata.requests, [])

    def test_no_proxy_of_the_environment_is_used(self):
        temporal = Temporal()
        with silent_listener() as proxy:
            variables = {name: f"http://127.0.0.1:{proxy.port}" for name in ("grpc_proxy", "https_proxy", "http_proxy")}
            # The runner itself reaches its control plane, on localhost, without the proxy.
            with Backend() as backend, Runner(backend, allow=[LIST], environment={**variables, "NO_PROXY": "localhost"}) as runner:
                path = runner.write_credentials("temporal.json", token_auth(
                    serverAddress=temporal.address("tls"), serverRootCACertificate=temporal.file("CA")))
                tls = from_file(path, "serverAddress", "serverRootCACertificate")
                for connection in (plain(temporal.address()), tls):
                    self.assertEqual(backend.run({"action": LIST, "connection": connection})["state"], "succeeded")
                self.assertEqual(proxy.connections, [])

    def test_the_runners_own_roots_are_trusted_without_a_token(self):
        temporal = Temporal()
        with Backend() as backend:
            bundle = backend.directory / "bundle.pem"
            with open(backend.ca_file) as own:
                bundle.write_text(own.read() + temporal.file("CA"))
            with Runner(backend, allow=[LIST], environment={"SSL_CERT_FILE": str(bundle)}) as runner:
                path = runner.write_credentials("temporal.json", token_auth(serverAddress=temporal.address("tls")))
                done = backend.run({"action": LIST, "connection": from_file(path, "serverAddress")})
                self.assertEqual(done["state"], "succeeded", done)


@contextlib.contextmanager
def silent_listener():
    """Accepts connections and says nothing; yields an object with port and connections (the sockets)."""

    class Listener:
        connections = []

    listener = Listener()
    listener.connections = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener.port = server.getsockname()[1]

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    listener.connections.append(server.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in listener.connections:
        connection.close()
