"""What the stand-ins of this folder share: an HTTP server that records each request and has it answered. Standard library only."""
import http.server
import threading


class HttpStandIn:
    """A context manager that serves on loopback while it is open, at `url`. Subclasses give answer(request): the handler of one request,
    with its bytes in `body`. `requests` lists (method, path with query)."""

    METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS")

    def __init__(self):
        self.requests = []

    def __enter__(self):
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                stand_in.requests.append((self.command, self.path))
                stand_in.answer(self)

            def log_message(self, *_):
                pass

        for method in self.METHODS:
            setattr(Handler, "do_" + method, Handler.handle_any)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
