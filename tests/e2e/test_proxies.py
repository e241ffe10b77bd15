"""The way through real forward proxies: plain and CONNECT, with and without a password, and what they may not be used for."""
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import ROOT, Backend, Runner, free_port, service
from http_table import NAMESPACE, HttpRunner
from netns import METADATA, METADATA_SIX, in_namespace, with_hosts
from servers import http_server, reply

SERVICES = ["nginx", "tinyproxy"]
SHORT = "The HTTP request failed"
HELLO = {"message": "hello", "from": "nginx", "number": 42, "list": [1, 2.5, None, True]}


def get(url, **inputs):
    return {"action": f"{NAMESPACE}.request", "inputs": {"verb": "GET", "url": url, **inputs}}


def requests_in(log):
    """The request lines that a proxy logged, without the version."""
    return re.findall(r"Request \(file descriptor \d+\): (.*) HTTP/1\.\d$", pathlib.Path(log).read_text(), re.MULTILINE)


class ThroughProxy(HttpRunner):
    """Runners whose environment names a proxy, with nginx behind it."""

    @classmethod
    def setUpClass(cls):
        cls.nginx, cls.tinyproxy = service("nginx"), service("tinyproxy")
        cls.http, cls.https = cls.nginx["NGINX_HTTP"], cls.nginx["NGINX_HTTPS"]
        super().setUpClass()

    @classmethod
    def trusting(cls, proxy, no_proxy):
        bundle = cls.backend.directory / "trusted.pem"
        bundle.write_text("".join(pathlib.Path(file).read_text() for file in (cls.backend.ca_file, cls.nginx["NGINX_CA"])))
        return {"SSL_CERT_FILE": str(bundle), "HTTP_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": no_proxy}

    @classmethod
    def with_password(cls, password):
        return cls.tinyproxy["TINYPROXY_ASKING"].replace("://", f"://{cls.tinyproxy['TINYPROXY_USER']}:{password}@")

    def check(self, rows):
        """rows: {name: (task, outputs' body, or parts of error_details and all of api_error)}"""
        for (name, (_, expected)), done in zip(rows.items(), self.backend.run_all(task for task, _ in rows.values())):
            with self.subTest(name):
                if isinstance(expected, tuple):
                    self.assert_failed(done, *expected)
                else:
                    self.assertEqual(self.outputs(done)["body"], expected)


class Open(ThroughProxy):
    @classmethod
    def environment(cls):
        cls.exceptions = [f"localhost:{cls.nginx[name]}" for name in ("NGINX_HTTP_PORT", "NGINX_HTTPS_PORT")]
        return cls.trusting(cls.tinyproxy["TINYPROXY"], ",".join(cls.exceptions))

    def test_actions_and_the_control_plane_go_through_it(self):
        closed = free_port()
        ten_mebibytes = (pathlib.Path(self.nginx["NGINX_LOG"]).parent / "www/files/10m.txt").read_text()
        self.check({
            "http": (get(self.http + "/files/hello.json"), HELLO),
            "http with a query": (get(self.http + "/files/hello.json?a=b%2Fc"), HELLO),
            "https": (get(self.https + "/files/hello.json"), HELLO),
            "10 MiB": (get(self.http + "/files/10m.txt"), ten_mebibytes),
            "10 MiB, compressed, through a tunnel": (get(self.https + "/gzip/10m.txt"), ten_mebibytes),
            "redirect into a tunnel": (get(self.http + "/redirect/https"), HELLO),
            "redirect out of it": (get(self.https + "/redirect/http"), HELLO),
            "name that nobody knows": (get("http://unknown.invalid/"), (["HTTP status 500 Unable to connect"], None)),
            "the same through a tunnel": (get("https://unknown.invalid/"),
                                          (["proxy 127.0.0.1", "refused to connect to unknown.invalid:443: 500"], SHORT)),
            "nobody there": (get(f"https://127.0.0.1:{closed}/"), ([f"refused to connect to 127.0.0.1:{closed}: 500"], SHORT)),
            "certificate of another name": (get(self.https.replace("127.0.0.1", "127.0.0.2") + "/files/hello.json"),
                                            (["certificate", "127.0.0.2", "through proxy"], SHORT)),
        })
        seen = requests_in(self.tinyproxy["TINYPROXY_LOG"])
        tunnel = self.https.removeprefix("https://")
        for line in (f"GET {self.http}/files/hello.json", f"GET {self.http}/files/hello.json?a=b%2Fc", f"CONNECT {tunnel}",
                     "GET http://unknown.invalid/", f"CONNECT {self.backend.url.removeprefix('https://')}"):
            self.assertIn(line, seen)
        self.assertEqual([line for line in seen if "files/10m.txt" in line], [f"GET {self.http}/files/10m.txt"])

    def test_bodies_go_up_through_it(self):
        body = {"text": "x" * 2_000_000}
        done = self.backend.run_all([get(self.http + "/echo", verb="POST", body=body), get(self.https + "/echo", verb="PUT", body=body)])
        self.assertEqual([self.outputs(task)["body"]["method"] for task in done], ["POST", "PUT"])

    def test_exceptions_go_directly(self):
        http, https = self.exceptions
        self.check({"http": (get(f"http://{http}/files/hello.json"), HELLO), "https": (get(f"https://{https}/files/hello.json"), HELLO)})
        for line in requests_in(self.tinyproxy["TINYPROXY_LOG"]):
            self.assertFalse(http in line or https in line, line)

    def test_who_decides_about_unknown_names_is_said_once(self):
        self.backend.run_all([get(f"http://unknown{number}.invalid/") for number in range(3)])
        self.assertEqual(self.runner.text().count("goes through the proxy, which decides"), 1)


class Asking(ThroughProxy):
    @classmethod
    def environment(cls):
        return cls.trusting(cls.with_password(cls.tinyproxy["TINYPROXY_PASSWORD"]), "")

    def test_the_password_of_its_address_is_shown_to_it_alone(self):
        self.runner.canaries.watch(self.tinyproxy["TINYPROXY_PASSWORD"])
        with http_server() as server:
            self.check({"http": (get(self.http + "/files/hello.json"), HELLO), "https": (get(self.https + "/files/hello.json"), HELLO),
                        "to a server that looks": (get(server.url + "/x"), {"path": "/x"})})
            self.assertNotIn("Proxy-Authorization", server.requests[0][2])
        self.assertIn(f"CONNECT {self.backend.url.removeprefix('https://')}", requests_in(self.tinyproxy["TINYPROXY_ASKING_LOG"]))


class Refused(ThroughProxy):
    @classmethod
    def environment(cls):
        cls.wrong = "wrong-password"
        # The control plane goes directly, by address and port: else nothing would get here at all.
        return cls.trusting(cls.with_password(cls.wrong), cls.backend.url.removeprefix("https://"))

    def test_a_wrong_password_is_an_error_that_does_not_show_it(self):
        self.runner.canaries.watch(self.wrong)
        self.check({"http": (get(self.http + "/files/hello.json"), (["HTTP status 401 Unauthorized"], None)),
                    "https": (get(self.https + "/files/hello.json"), (["refused to connect to 127.0.0.1", "401"], SHORT))})


class Nobody(ThroughProxy):
    @classmethod
    def environment(cls):
        cls.port = free_port()
        return cls.trusting(f"http://127.0.0.1:{cls.port}", cls.backend.url.removeprefix("https://"))

    def test_a_proxy_that_is_not_there_is_named(self):
        expected = ([f"cannot connect to proxy 127.0.0.1:{self.port}"], SHORT)
        self.check({"http": (get(self.http), expected), "https": (get(self.https), expected)})


class Hosts(ThroughProxy):
    CONFIG = {"allowlist": ["127.0.0.1"]}

    @classmethod
    def environment(cls):
        return cls.trusting(cls.tinyproxy["TINYPROXY"], "")

    def test_the_host_allowlist_holds_on_every_hop(self):
        def away(handler):
            reply(handler, 302, {}, Location=self.http.replace("127.0.0.1", "elsewhere.invalid") + "/")

        with http_server(away) as server:
            refused = (["allowlist", "elsewhere.invalid"], None)
            self.check({"allowed": (get(self.http + "/files/hello.json"), HELLO), "http": (get("http://elsewhere.invalid/"), refused),
                        "https": (get("https://elsewhere.invalid/"), refused), "redirect": (get(server.url), refused)})
        self.assertEqual([line for line in requests_in(self.tinyproxy["TINYPROXY_LOG"]) if "elsewhere" in line], [])


class Metadata(unittest.TestCase):
    """Each case with a proxy of its own inside the namespace."""

    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="par-tinyproxy-")))

    def proxied(self, backend, wrap=lambda command: command, **config):
        up, down = (str(ROOT / "tests/services/tinyproxy" / script) for script in ("up.sh", "down.sh"))
        started = subprocess.run(wrap([up, str(self.directory)]), capture_output=True, text=True)
        if started.returncode == 77:
            self.skipTest(started.stdout.strip())
        self.assertEqual(started.returncode, 0, started.stderr)
        self.addCleanup(subprocess.run, [down, str(self.directory)], check=True)
        proxy = re.search(r"^TINYPROXY=(.*)$", (self.directory / "env").read_text(), re.MULTILINE)[1]
        return Runner(backend, allow=[f"{NAMESPACE}.*"], config=config, environment={
            "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": backend.url.removeprefix("https://")})

    def assert_refused(self, task):
        self.assertEqual(task["outcome"].get("error_code"), 2, task)
        self.assertIn("allowIMDSEndpoint", task["outcome"]["error_details"])

    @in_namespace(hosts=[f"{METADATA} only.test", f"{METADATA} mixed.test", "127.0.0.1 mixed.test good.test"])
    def test_no_form_of_the_addresses_gets_to_the_proxy(self):
        with http_server(address=METADATA) as metadata, Backend() as backend, self.proxied(backend) as runner:
            def away(handler):
                reply(handler, 302, {}, Location=f"http://{METADATA}:{metadata.port}/latest")

            with http_server(away) as server:
                hosts = [METADATA, METADATA + ".", "2852039166", "0xa9fea9fe", f"[::ffff:{METADATA}]", "[64:ff9b:1::a9fe:a9fe]",
                         f"[{METADATA_SIX}]", f"[{METADATA_SIX}%25lo]", f"[{METADATA_SIX}%25none]", "only.test", "mixed.test"]
                tasks = [get(f"{scheme}://{host}:{metadata.port}/") for host in hosts for scheme in ("http", "https")]
                tasks.append(get(f"http://good.test:{server.port}/"))
                for task in backend.run_all(tasks):
                    with self.subTest(task["task_id"]):
                        self.assert_refused(task)
                self.assertEqual(requests_in(self.directory / "open.log"), [f"GET http://good.test:{server.port}/"])
                self.assertEqual((len(server.requests), metadata.requests), (1, []), runner.tail())

    @in_namespace
    def test_names_that_only_the_proxy_knows_are_its_to_decide(self):
        with http_server() as server, Backend() as backend, \
                self.proxied(backend, lambda command: with_hosts(["127.0.0.1 inside.test"], self.directory, command)) as runner:
            task = backend.run(get(f"http://inside.test:{server.port}/there"))
            self.assertEqual(task["state"], "succeeded", task)
            self.assertEqual(server.requests[0][:2], ("GET", "/there"))
            self.assertIn("goes through the proxy, which decides", runner.text())

    @in_namespace
    def test_the_option_allows_them(self):
        with http_server(address=METADATA) as metadata, Backend() as backend, \
                self.proxied(backend, allowIMDSEndpoint=True):
            task = backend.run(get(f"http://{METADATA}:{metadata.port}/latest"))
            self.assertEqual(task["state"], "succeeded", task)
            self.assertEqual(len(metadata.requests), 1)
