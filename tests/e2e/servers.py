"""Small real HTTP servers for actions to talk to."""
import contextlib
import http.server
import json
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
