"""com.datadoghq.http against a real web server: TLS, client certificates, compression, Basic authentication, redirects, checksums."""
import base64
import hashlib
import pathlib

from harness import basic_auth, free_port, service, token_auth
from http_table import NAMESPACE, HttpRunner

SERVICES = ["nginx"]
SHORT = "The HTTP request failed"


class Nginx(HttpRunner):
    @classmethod
    def setUpClass(cls):
        cls.nginx = service("nginx")
        super().setUpClass()

    @classmethod
    def environment(cls):
        """Trusts the CA of the backend and that of nginx."""
        bundle = cls.backend.directory / "trusted.pem"
        bundle.write_text("".join(pathlib.Path(file).read_text() for file in (cls.backend.ca_file, cls.nginx["NGINX_CA"])))
        return {"SSL_CERT_FILE": str(bundle)}

    def get(self, url, connection=None, action="request", **inputs):
        task = {"action": f"{NAMESPACE}.{action}", "inputs": {"url": url, **({"verb": "GET"} if action == "request" else {}), **inputs}}
        return {**task, "connection": connection} if connection else task

    def check(self, rows):
        """rows: {name: (task, expected)}: a function of the outputs, or (parts of error_details, all of api_error or None: the same)."""
        for (name, (_, expected)), done in zip(rows.items(), self.backend.run_all(task for task, _ in rows.values())):
            with self.subTest(name):
                if callable(expected):
                    outputs = self.outputs(done)
                    self.assertTrue(expected(outputs), outputs)
                else:
                    self.assert_failed(done, *expected)

    def test_answers(self):
        http, https = self.nginx["NGINX_HTTP"], self.nginx["NGINX_HTTPS"]
        hello = {"message": "hello", "from": "nginx", "number": 42, "list": [1, 2.5, None, True]}
        basic = self.basic("nginx.json", self.nginx["NGINX_PASSWORD"])
        wrong = self.basic("wrong.json", self.runner.canaries.make("password"))
        self.check({
            "JSON": (self.get(http + "/files/hello.json"), lambda out: out["body"] == hello and out["status"] == 200),
            "JSON over TLS": (self.get(https + "/files/hello.json"), lambda out: out["body"] == hello),
            "256 bytes": (self.get(http + "/files/256.txt"), lambda out: len(out["body"]) == 256 == int(out["headers"]["Content-Length"][0])),
            "64 KiB over TLS": (self.get(https + "/files/64k.txt"), lambda out: len(out["body"]) == 65536),
            "10 MiB": (self.get(http + "/files/10m.txt"), lambda out: len(out["body"]) == 10 << 20),
            "10 MiB compressed, chunked": (self.get(http + "/gzip/10m.txt"), lambda out: len(out["body"]) == 10 << 20
                                           and "Content-Encoding" not in out["headers"]),
            "compressed as it is": (self.get(http + "/gzip/hello.json", requestHeaders=[{"key": "accept-encoding", "value": ["gzip"]}],
                                             responseEncoding="base64", responseParsing="raw"),
                                    lambda out: base64.b64decode(out["body"])[:2] == b"\x1f\x8b"
                                    and out["headers"]["Content-Encoding"] == ["gzip"]),
            "a range of it": (self.get(http + "/gzip/256.txt", requestHeaders=[{"key": "Range", "value": ["bytes=0-9"]}]),
                              lambda out: (out["status"], out["body"]) == (206, "par-runner")),
            "HEAD": (self.get(http + "/files/10m.txt", verb="HEAD"),
                     lambda out: out["body"] == "" and out["headers"]["Content-Length"] == [str(10 << 20)]),
            "method that the server does not take": (self.get(http + "/files/hello.json", verb="DELETE"),
                                                     (["HTTP status 405 Not Allowed: <html>"], None)),
            "Basic authentication": (self.get(http + "/basic/hello.json", basic), lambda out: out["body"] == hello),
            "without it": (self.get(http + "/basic/hello.json"), (["HTTP status 401 Unauthorized"], None)),
            "with another password": (self.get(http + "/basic/hello.json", wrong), (["HTTP status 401 Unauthorized"], None)),
            "no answer at all": (self.get(f"http://127.0.0.1:{free_port()}/"), (["127.0.0.1"], SHORT)),
        })

    def test_redirects(self):
        http = self.nginx["NGINX_HTTP"]
        self.check({
            **{f"{status} makes POST a GET": (self.get(f"{http}/redirect/{status}", verb="POST", body={"a": 1}),
                                              lambda out: out["body"]["message"] == "hello") for status in (301, 302, 303)},
            **{f"{status} keeps PUT": (self.get(f"{http}/redirect/{status}", verb="PUT", body={"a": 1}),
                                       lambda out: out["body"]["method"] == "PUT") for status in (307, 308)},
            "two hops": (self.get(http + "/redirect/two"), lambda out: out["status"] == 200),
            "to TLS": (self.get(http + "/redirect/https"), lambda out: out["status"] == 200),
            "from TLS": (self.get(self.nginx["NGINX_HTTPS"] + "/redirect/http"), lambda out: out["status"] == 200),
            "for ever": (self.get(http + "/redirect/loop"), (["more than 10 redirects"], SHORT)),
            "not followed": (self.get(http + "/redirect/302", followRedirect=False), (["302", "followRedirect"], None)),
            "not followed, and allowed": (self.get(http + "/redirect/302", followRedirect=False, errorOnStatus=["500"]),
                                          lambda out: out["headers"]["Location"] == [http + "/files/hello.json"]),
        })

    def test_certificates(self):
        https, expired = self.nginx["NGINX_HTTPS"] + "/files/hello.json", self.nginx["NGINX_EXPIRED"] + "/files/hello.json"
        own, other = self.identity(ca="NGINX_CA"), self.identity(ca="NGINX_OTHER_CA")
        self.check({
            "expired": (self.get(expired), (["expired"], SHORT)),
            "expired, allowed": (self.get(expired, allowExpiredCertificate=True), lambda out: out["status"] == 200),
            "name that is in the certificate": (self.get(https.replace("127.0.0.1", "localhost")), lambda out: out["status"] == 200),
            "address that is not": (self.get(self.nginx["NGINX_OTHER_NAME"] + "/files/hello.json"), (["127.0.0.2"], SHORT)),
            "own authority": (self.get(https, own), lambda out: out["status"] == 200),
            "other authority": (self.get(https, other), (["certificate"], SHORT)),
            "other authority, allowed": (self.get(https, other, allowExpiredCertificate=True), lambda out: out["status"] == 200),
            "plain HTTP on the TLS port": (self.get(https.replace("https", "http")), (["HTTP status 400"], None)),
            "TLS on the plain port": (self.get(self.nginx["NGINX_HTTP"].replace("http", "https")), (["TLS"], SHORT)),
        })

    def test_client_certificates(self):
        mtls, https = self.nginx["NGINX_MTLS"], self.nginx["NGINX_HTTPS"]
        client = self.identity("NGINX_CLIENT", ca="NGINX_CA")
        stranger = self.identity("NGINX_STRANGER", ca="NGINX_CA")
        mixed = self.identity("NGINX_CLIENT", key="NGINX_STRANGER_KEY")
        broken = self.connection("broken.json", clientCertPairCrt="-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
                                 clientCertPairKey="-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")
        self.check({
            "with it": (self.get(mtls + "/whoami", client), lambda out: out["body"] == "CN=client"),
            "without the server's authority": (self.get(mtls + "/whoami", self.identity("NGINX_CLIENT")),
                                               lambda out: out["body"] == "CN=client"),
            "without it": (self.get(mtls + "/whoami"), (["HTTP status 400", "No required SSL certificate"], None)),
            "of another authority": (self.get(mtls + "/whoami", stranger), (["HTTP status 400", "SSL certificate error"], None)),
            "kept on the origin": (self.get(mtls + "/stay", client), lambda out: out["body"] == "CN=client"),
            "not needed elsewhere": (self.get(mtls + "/away", client), lambda out: out["body"]["message"] == "hello"),
            "not shown to another origin": (self.get(https + "/redirect/mtls", client),
                                            (["HTTP status 400", "No required SSL certificate"], None)),
            "not even after a way back": (self.get(mtls + "/circle", client), (["HTTP status 400", "No required SSL certificate"], None)),
            "key of another certificate": (self.get(mtls + "/whoami", mixed), (["client certificate", "key"], SHORT)),
            "neither can be read": (self.get(mtls + "/whoami", broken), (["client certificate"], SHORT)),
        })

    def test_checksums(self):
        http = self.nginx["NGINX_HTTP"]
        line = b"par-runner test file, one line of sixty-four bytes, again again\n"
        big, small = line * (10 << 14), line * 4

        def of(path, connection=None, **inputs):
            return self.get(http + path, connection, "getChecksumFromURL", **inputs)

        def encoded(data, encode):
            return lambda out: out == {"checksum": encode(hashlib.sha256(data).digest())}

        self.check({
            "sha256 in hex": (of("/files/10m.txt"), encoded(big, bytes.hex)),
            **{name: (of("/files/256.txt", algorithm=name), lambda out, name=name: out == {"checksum": hashlib.new(name, small).hexdigest()})
               for name in ("md5", "sha1", "sha256", "sha384", "sha512")},
            "base64": (of("/files/256.txt", digest="base64"), encoded(small, lambda raw: base64.b64encode(raw).decode())),
            "base64url": (of("/files/256.txt", digest="base64url"),
                          encoded(small, lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="))),
            "binary": (of("/files/256.txt", digest="binary"), encoded(small, lambda raw: raw.decode("latin1"))),
            "compressed on the way": (of("/gzip/10m.txt"), encoded(big, bytes.hex)),
            "with credentials": (of("/basic/256.txt", self.basic("nginx.json", self.nginx["NGINX_PASSWORD"])), encoded(small, bytes.hex)),
            "behind a redirect": (of("/redirect/two"), lambda out: len(out["checksum"]) == 64),
            "failing status": (of("/status/403"), (["HTTP status 403 Forbidden", "forbidden"], None)),
            "unknown algorithm": (of("/files/256.txt", algorithm="crc32"), (["crc32", "sha512"], None)),
            "unknown digest": (of("/files/256.txt", digest="base32"), (["base32", "base64url"], None)),
            "no url": ({"action": f"{NAMESPACE}.getChecksumFromURL"}, (["url"], None)),
        })

    def test_test_connection(self):
        def of(path=None, verb=None, base=self.nginx["NGINX_HTTP"], password=None):
            connection = self.basic("tested.json", password or self.nginx["NGINX_PASSWORD"])
            given = {"base_url": base, "testing.path": path, "testing.verb": verb}
            connection["tokens"] += [{"name": name, "plain_text": value} for name, value in given.items() if value is not None]
            return {"action": f"{NAMESPACE}.testConnection", "connection": connection}

        self.check({
            "path": (of("/basic/hello.json"), lambda out: (out["status"], out["body"]["message"]) == (200, "hello")),
            "path and verb": (of("basic/hello.json", "HEAD"), lambda out: (out["status"], out["body"]) == (200, "")),
            "query": (of("/echo?a=1", "POST"), lambda out: (out["body"]["uri"], out["body"]["method"]) == ("/echo?a=1", "POST")),
            "failing status": (of("/status/401"), (["HTTP status 401 Unauthorized"], None)),
            "no test": (of(), (["test path"], None)),
            "no base URL": (of("/echo", base=None), (["base URL"], None)),
        })

    # Connections
    def connection(self, file, **tokens):
        path = self.runner.write_credentials(file, token_auth(**tokens))
        return {"auth": "token", "tokens": [{"name": f"root_tokens.{name}", "file": path} for name in tokens]}

    def basic(self, file, password):
        path = self.runner.write_credentials(file, basic_auth(user=self.runner.canaries.watch(password)))
        return {"auth": "basic", "tokens": [{"name": "root_tokens.username", "plain_text": "user"},
                                            {"name": "root_tokens.password", "file": path}]}

    def identity(self, certificate=None, key=None, ca=None):
        """A token connection with these files of nginx; `certificate` stands for it and its key."""
        def pem(variable):
            return pathlib.Path(self.nginx[variable]).read_text()

        tokens = {}
        if certificate:
            tokens["clientCertPairCrt"] = pem(f"{certificate}_CERT")
            tokens["clientCertPairKey"] = self.runner.canaries.watch(pem(key or f"{certificate}_KEY"))
        if ca:
            tokens["serverRootCACertificate"] = pem(ca)
        return self.connection(f"identity-{certificate}-{key}-{ca}.json", **tokens)
