"""What actions may reach without a proxy (test_proxies.py: through one)."""
import unittest

from harness import Backend, Runner
from netns import METADATA, METADATA_SIX, in_namespace
from servers import http_server, reply

REQUEST = "com.datadoghq.http.request"


def request(url, **inputs):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url, **inputs}}


class Hosts(unittest.TestCase):
    def test_only_hosts_of_the_allowlist_are_reached_on_every_hop(self):
        def answer(handler):
            if handler.path == "/away":
                reply(handler, 302, {}, Location=f"http://localhost:{handler.server.server_address[1]}/there")
            else:
                reply(handler, 200, {"path": handler.path})

        with Backend() as backend, http_server(answer) as server, \
                Runner(backend, allow=[REQUEST], config={"allowlist": ["127.0.0.*"]}):
            self.assertEqual(backend.run(request(server.url + "/here"))["state"], "succeeded")
            for url in (server.url + "/away", f"http://localhost:{server.port}/"):
                outcome = backend.run(request(url))["outcome"]
                self.assertEqual(outcome["error_code"], 2)
                self.assertIn("allowlist", outcome["error_details"])
                self.assertIn("localhost", outcome["error_details"])
            self.assertEqual([path for _, path, _ in server.requests], ["/here", "/away"])

    def test_an_empty_allowlist_allows_no_host_and_says_so_at_start(self):
        with Backend() as backend, http_server() as server, \
                Runner(backend, allow=[REQUEST], config={"allowlist": []}) as runner:
            self.assertEqual(backend.run(request(server.url))["outcome"]["error_code"], 2)
            self.assertTrue(any(line["level"] == "warn" and "allowlist" in line["message"]
                                for line in runner.log_lines()))

    def test_the_signed_header_and_the_user_agent_are_added(self):
        with Backend() as backend, http_server() as server, Runner(backend, allow=[REQUEST]):
            backend.run({**request(server.url, requestHeaders=[{"key": "User-Agent", "value": ["mine"]}]),
                         "sec_datadog_header": "signed-value"})
            headers = server.requests[0][2]
            self.assertEqual(headers["Sec-Datadog"], "signed-value")
            self.assertEqual(headers["User-Agent"], "Datadog")


class Metadata(unittest.TestCase):
    @in_namespace
    def test_the_metadata_addresses_are_refused_in_every_form(self):
        with http_server(address=METADATA) as metadata, Backend() as backend, Runner(backend, allow=[REQUEST]):
            for host in (METADATA, METADATA + ".", "2852039166", "0251.0376.0251.0376", f"[::ffff:{METADATA}]", "[::ffff:a9fe:a9fe]",
                         "[64:ff9b::a9fe:a9fe]", f"[{METADATA_SIX}]", f"[{METADATA_SIX}%25lo]", f"[{METADATA_SIX}%25none]"):
                with self.subTest(host):
                    outcome = backend.run(request(f"http://{host}:{metadata.port}/latest"))["outcome"]
                    self.assertEqual(outcome.get("error_code"), 2, outcome)
                    self.assertIn("allowIMDSEndpoint", outcome["error_details"])
            self.assertEqual(metadata.requests, [])

    @in_namespace
    def test_a_redirect_to_the_metadata_address_is_refused(self):
        with http_server(address=METADATA) as metadata:
            def away(handler):
                reply(handler, 302, {}, Location=f"http://{METADATA}:{metadata.port}/latest")

            with http_server(away) as server, Backend() as backend, Runner(backend, allow=[REQUEST]):
                outcome = backend.run(request(server.url))["outcome"]
                self.assertEqual(outcome["error_code"], 2)
                self.assertIn("allowIMDSEndpoint", outcome["error_details"])
                self.assertEqual(metadata.requests, [])

    @in_namespace
    def test_the_option_allows_it(self):
        with http_server(address=METADATA) as metadata, Backend() as backend, \
                Runner(backend, allow=[REQUEST], config={"allowIMDSEndpoint": True}):
            self.assertEqual(backend.run(request(f"http://{METADATA}:{metadata.port}/latest"))["state"], "succeeded")
            self.assertEqual(len(metadata.requests), 1)

    @in_namespace(hosts=[f"{METADATA} only.test", f"{METADATA} mixed.test", "127.0.0.1 mixed.test"])
    def test_a_name_is_reached_at_those_of_its_addresses_that_may_be(self):
        with http_server(address=METADATA) as metadata, http_server(port=metadata.port) as server, Backend() as backend, \
                Runner(backend, allow=[REQUEST]):
            mixed, only = backend.run_all(request(f"http://{name}.test:{server.port}/") for name in ("mixed", "only"))
            self.assertEqual(mixed["state"], "succeeded", mixed)
            self.assertEqual(only["outcome"]["error_code"], 2)
            self.assertIn("allowIMDSEndpoint", only["outcome"]["error_details"])
            self.assertEqual((len(server.requests), metadata.requests), (1, []))
