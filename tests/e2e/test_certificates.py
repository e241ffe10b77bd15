"""Certificate authorities of the operator, in the form in which orchestrators mount them, beside those of the system."""
import contextlib
import functools
import http.server
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import Backend, Runner

REQUEST = "com.datadoghq.http.request"
SYSTEM = pathlib.Path("/etc/ssl/certs")


class Authority:
    """A CA with a server certificate for 127.0.0.1, in files of `directory`."""

    def __init__(self, directory, name):
        self.directory, self.name = pathlib.Path(directory), name
        self.ca, self.key, self.chain = (self.directory / f"{name}{end}" for end in (".crt", ".key", ".chain"))
        extensions = self.directory / f"{name}.ext"
        extensions.write_text("subjectAltName=IP:127.0.0.1\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *curve, "-subj", f"/CN={name} CA", "-keyout", self.key, "-out", self.ca, "-days", "100")
        request = self.directory / f"{name}.csr"
        server_key = self.directory / f"{name}.server.key"
        self.openssl("req", *curve, "-subj", f"/CN={name}", "-keyout", server_key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-out", self.chain, "-days", "50",
                     "-extfile", extensions, "-CAcreateserial")
        self.chain.write_text(self.chain.read_text() + server_key.read_text())

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def hash(self):
        return self.openssl("x509", "-in", self.ca, "-noout", "-hash")

    @contextlib.contextmanager
    def server(self):
        """A web server with this authority's certificate; yields its URL."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        # The handshake is made on the connection's own thread.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            server.server_close()


def with_own_system_roots(case):
    """Runs a case again where the system's directory of certificates is an empty one of its own."""

    @functools.wraps(case)
    def run(self):
        if os.environ.get("PAR_TEST_OWN_ROOTS") == "1":
            case(self)
            return
        script = f"mount -t tmpfs none {SYSTEM} && exec \"$@\""
        inside = ["unshare", "--mount", "sh", "-c", script, "sh"]
        if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
            self.skipTest("file systems cannot be mounted here")
        done = subprocess.run([*inside, sys.executable, pathlib.Path(__file__).with_name("run_case.py"), self.id()],
                              env={**os.environ, "PAR_TEST_OWN_ROOTS": "1"}, capture_output=True, text=True)
        if done.returncode != 0:
            self.fail(done.stdout + done.stderr)

    return run


def mounted(directory, **files):
    """A directory as a ConfigMap or Secret is mounted: links to links into the version of the moment."""
    version = directory / "..2026_01_01"
    version.mkdir(parents=True)
    (directory / "..data").symlink_to(version.name)
    for name, content in files.items():
        (version / name.replace("_", ".")).write_text(content)
        (directory / name.replace("_", ".")).symlink_to(f"..data/{name.replace('_', '.')}")
    return directory


class Mounted(unittest.TestCase):
    @with_own_system_roots
    def test_files_of_any_name_count_beside_the_systems_roots(self):
        home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        system, private, unknown = (Authority(home, name) for name in ("system", "private", "unknown"))
        (SYSTEM / f"{system.hash()}.0").write_text(system.ca.read_text())
        with Backend() as backend:
            # The stand-in's CA and another one in one file, beside a file that holds none.
            both = pathlib.Path(backend.ca_file).read_text() + "\n# the next one\n" + private.ca.read_text()
            directory = mounted(home / "mounted", ca_crt=both, README_md="no certificate")
            with Runner(backend, allow=[REQUEST], environment={
                    "SSL_CERT_FILE": None, "SSL_CERT_DIR": f"{directory}"}) as runner:
                for authority, state in ((system, "succeeded"), (private, "succeeded"), (unknown, "failed")):
                    with self.subTest(authority.name), authority.server() as url:
                        done = backend.run({"action": REQUEST, "inputs": {"verb": "GET", "url": url}})
                        self.assertEqual(done["state"], state, done)
                self.assertIn("certificate", done["outcome"]["error_details"])
                banner = next(line for line in runner.log_lines() if line.get("message") == "par-runner starts")
                self.assertEqual(banner["extra_certificates"], 2)
