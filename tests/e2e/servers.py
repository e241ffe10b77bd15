"""Small real HTTP servers for actions to talk to, and a relay that spoils the way to a real server."""
import contextlib
import http.server
import json
import socket
import threading
import time


@contextlib.contextmanager
def http_server(answer=None, address="127.0.0.1", port=0):
    """Serves on loopback. `answer(handler)` writes the answer of one request; without it every request gets
    {"path": ...}. Yields an object with url, port and requests (method, path, headers)."""

    class Seen:
        requests = []

    seen = Seen()
    seen.requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self):
            seen.requests.append((self.command, self.path, dict(self.headers.items())))
            if answer is not None:
                answer(self)
            else:
                reply(self, 200, {"path": self.path})

        def __getattr__(self, name):
            if name.startswith("do_"):  # any method
                return self.handle_any
            raise AttributeError(name)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((address, port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    seen.port = server.server_address[1]
    seen.url = f"http://{address}:{seen.port}"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def scripted_server(address="127.0.0.1"):
    """Answers each path as the test says, and keeps what it was asked. Yields an object with url, port and

        answer(path, status=200, headers=[(name, value)], body=b"", reason="", delay=seconds)
        seen(path)    list of requests: method, target, headers [(name, value)] in wire order, body

    A path without a script gets 200 and {}. Nothing is echoed, no header is added but Content-Length."""
    scripts, log = {}, []

    class Request:
        def __init__(self, handler):
            self.method, self.target = handler.command, handler.path
            self.path = handler.path.partition("?")[0]
            self.headers = list(handler.headers.items())
            self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

        def header(self, name):
            """All values of that name, joined by ' | ', or None."""
            return " | ".join(value for other, value in self.headers if other.lower() == name.lower()) or None

    def answer(handler):
        request = Request(handler)
        log.append(request)
        script = scripts.get(request.path, {"headers": [("Content-Type", "application/json")], "body": b"{}"})
        time.sleep(script.get("delay", 0))
        status, body = script.get("status", 200), script.get("body", b"")
        handler.send_response_only(status, script.get("reason"))
        for name, value in script.get("headers", []):
            handler.send_header(name, value)
        if status not in (204, 304):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if request.method != "HEAD" and status not in (204, 304):
            with contextlib.suppress(OSError):
                handler.wfile.write(body)

    with http_server(answer, address) as server:
        server.answer = lambda path, **script: scripts.__setitem__(path, script)
        server.seen = lambda path: [request for request in log if request.path == path]
        yield server


def reply(handler, status, value, **headers):
    """Answers with JSON."""
    body = json.dumps(value).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, text in headers.items():
        handler.send_header(name.replace("_", "-"), text)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def slow(seconds):
    """An answer that comes so much later."""

    def answer(handler):
        time.sleep(seconds)
        with contextlib.suppress(OSError):
            reply(handler, 200, {"slow": True})

    return answer


class Relay:
    """Passes TCP connections on to a real server, bytes untouched, and counts them. Faults for those that begin afterwards:
    `silent`: nothing is passed on; `cut_after`: both sides are closed after so many bytes of the server."""

    def __init__(self, host, port, as_proxy):
        self.target, self.as_proxy = (host, port), as_proxy
        self.silent, self.cut_after = False, None
        self.connections, self.asked_for = 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client:
            if self.as_proxy:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(1)
                self.asked_for.append(head.split(b"\r\n")[0].decode())
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if self.silent:
                while client.recv(65536):
                    pass
                return
            limit = self.cut_after
            with socket.create_connection(self.target) as server:
                threading.Thread(target=self.pump, args=(client, server, None), daemon=True).start()
                self.pump(server, client, limit)

    @staticmethod
    def pump(source, sink, limit):
        passed = 0
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                chunk = chunk[:None if limit is None else limit - passed]
                sink.sendall(chunk)
                passed += len(chunk)
                if passed == limit:
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(host, port, as_proxy=False):
    """A Relay to that server; `as_proxy`: one that has to be asked with CONNECT, as an HTTP proxy."""
    between = Relay(host, port, as_proxy)
    try:
        yield between
    finally:
        between.listener.close()
