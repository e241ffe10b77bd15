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

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any

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
