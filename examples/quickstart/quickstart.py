"""Starts a web server, a stand-in for Datadog and the runner, sends five tasks and tells what became of each.

    quickstart.py BUILD_DIRECTORY      (use ./run, which builds first)
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

BUILD = pathlib.Path(sys.argv[1]).resolve()
ISOLATED = os.environ.get("PAR_QUICKSTART_ISOLATED") == "1"
METADATA = "169.254.169.254"
TOKEN = "inventory-token-made-up-for-this-example"
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text):
    return paint("1", text)


def say(text=""):
    print(text, flush=True)


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """The real web server that the actions talk to."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.process = None

    def start(self):
        www = self.directory / "www"
        www.mkdir(parents=True)
        (www / "inventory.json").write_text(json.dumps({"warehouse": "north", "pallets": 42, "open": True}))
        metadata = f"listen {METADATA}:80;" if ISOLATED else ""
        (self.directory / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {self.directory}/nginx.pid; error_log {self.directory}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log {self.directory}/access.log;
  client_body_temp_path {self.directory}/tmp; proxy_temp_path {self.directory}/tmp; fastcgi_temp_path {self.directory}/tmp;
  uwsgi_temp_path {self.directory}/tmp; scgi_temp_path {self.directory}/tmp;
  types {{ application/json json; }}
  server {{
    listen 127.0.0.1:{self.port}; {metadata}
    location / {{ root {www}; }}
    location /private {{
      default_type application/json;
      if ($http_x_api_key != "{TOKEN}") {{ return 401 '{{"error": "no valid key"}}'; }}
      return 200 '{{"secret_pallets": 7}}';
    }}
  }}
}}
""")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-e", self.directory / "nginx.log", "-p", self.directory,
                                         "-c", self.directory / "nginx.conf"])
        wait_for("the web server", lambda: get(f"http://127.0.0.1:{self.port}/inventory.json"), self.process)

    def requests(self):
        log = self.directory / "access.log"
        return len(log.read_text().splitlines()) if log.exists() else 0


def opener():
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url):
    with opener().open(url, timeout=5) as answer:
        return answer.read()


def wait_for(what, attempt, process=None):
    deadline = time.monotonic() + 20
    while True:
        try:
            return attempt()
        except (OSError, ValueError) as error:
            if process is not None and process.poll() is not None:
                raise SystemExit(f"{what} ended with code {process.returncode}")
            if time.monotonic() > deadline:
                raise SystemExit(f"{what} did not answer within 20 s: {error}")
            time.sleep(0.02)


class Backend:
    """par-local-backend: plays Datadog, with real signatures over real HTTPS."""

    def __init__(self, directory):
        self.directory = directory
        self.program = BUILD / "bin" / "par-local-backend"

    def start(self, allow):
        subprocess.run([self.program, "start", "--dir", self.directory, "--background", "--remote-config",
                        "--allow", allow], check=True, stdout=subprocess.DEVNULL)
        self.endpoint = json.loads((self.directory / "endpoint.json").read_text())

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.endpoint["control_url"] + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.endpoint['control_token']}"})
        with opener().open(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def run(self, task):
        [identity] = self.call("POST", "/tasks", task)["task_ids"]
        answer = self.call("GET", f"/tasks/{identity}?timeout_ms=20000")
        if "outcome" not in answer:
            raise SystemExit(f"no outcome for {task['action']} within 20 s; see {self.directory}")
        return answer["outcome"]

    def stop(self):
        subprocess.run([self.program, "stop", "--dir", self.directory], stdout=subprocess.DEVNULL, check=False)


def request(url, **more):
    return {"action": "com.datadoghq.http.request", "inputs": {"verb": "GET", "url": url}, **more}


def tasks(port, credentials):
    """Title, task, whether it must succeed, error code, what the answer must contain, why it happens."""
    local = f"http://127.0.0.1:{port}"
    yield ("An allowed request", request(f"{local}/inventory.json"), None, "pallets",
           "config.yaml allows com.datadoghq.http.request, the signature is good, the server answered")
    yield ("An allowed request with a credential",
           request(f"{local}/private", connection={"id": "conn-1", "auth": "token", "tokens": [
               {"name": "root_tokens.apiKey", "file": str(credentials)},
               {"name": "headers.X-Api-Key", "plain_text": "{{ apiKey }}"}]}), None, "secret_pallets",
           "the runner read the token from a file on this machine; Datadog knows only the path")
    yield ("An action that is not on the allowlist",
           {"action": "com.datadoghq.jenkins.deleteJenkinsJob", "inputs": {"jobName": "deploy"}}, 2, "actionsAllowlist",
           "refused before anything was opened or called")
    yield ("A task whose signature was tampered with",
           request(f"{local}/inventory.json", overrides={"damage_signature": True}), 5, "signature",
           "one bit of the signature is wrong: nothing in the task is believed")
    if ISOLATED:
        yield ("A request for the cloud's metadata service", request(f"http://{METADATA}/inventory.json"), 2,
               "allowIMDSEndpoint", "refused at the moment of connecting, after name lookup, also on redirects")


def show(number, title, task, outcome, expected_code, needle, why, elapsed):
    target = task["inputs"].get("url", json.dumps(task["inputs"]))
    say(f"\n{bold(f'{number}. {title}')}")
    say(f"   task     {task['action']}  {target}")
    text = json.dumps(outcome, ensure_ascii=False)
    good = needle in text and outcome.get("error_code") == expected_code
    if "outputs" in outcome:
        mark = paint("32", "done")
        detail = f"HTTP {outcome['outputs'].get('status')}  {json.dumps(outcome['outputs'].get('body'))}"
    else:
        mark = paint("33", f"refused, error code {outcome.get('error_code')}")
        detail = outcome.get("api_error") or outcome.get("error_details", "")
    say(f"   outcome  {mark} after {elapsed * 1000:.0f} ms")
    say(f"   answer   {detail}")
    say(f"   why      {why}")
    if not good:
        say(paint("31", f"   UNEXPECTED: wanted code {expected_code} and the text {needle!r}, got {text}"))
    return good


def main():
    if ISOLATED:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "add", f"{METADATA}/32", "dev", "lo"], check=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="par-quickstart-"))
    directory.chmod(0o755)
    nginx, backend, runner = Nginx(directory / "nginx"), Backend(directory / "backend"), None
    success = False
    try:
        nginx.start()
        backend.start("com.datadoghq.http.request")
        credentials = directory / "credentials.json"
        credentials.write_text(json.dumps({"auth_type": "Token Auth", "credentials": [
            {"tokenName": "apiKey", "tokenValue": TOKEN}]}))
        log = directory / "runner.log"
        environment = {"PATH": os.environ["PATH"], "DD_PRIVATE_RUNNER_CONFIG_DIR": str(backend.directory),
                       "SSL_CERT_FILE": backend.endpoint["ca_file"], "DD_LOG_LEVEL": "info", "PAR_PORT": "0"}
        started = time.monotonic()
        with open(log, "wb") as output:
            runner = subprocess.Popen([BUILD / "bin" / "par-runner"], env=environment, stdout=output,
                                      stderr=subprocess.STDOUT)

        def first_dequeue():
            if backend.call("GET", "/statistics")["dequeues"] == 0:
                raise ValueError("no dequeue yet")

        wait_for(f"par-runner (its log: {log})", first_dequeue, runner)
        say(f"web server  nginx, http://127.0.0.1:{nginx.port}")
        say(f"Datadog     par-local-backend, {backend.endpoint['url']}: HTTPS, signed tasks, Remote Config with TUF")
        say(f"runner      par-runner, asking for tasks {time.monotonic() - started:.2f} s after its start")
        say(f"isolation   {'a network namespace of its own' if ISOLATED else 'none (needs more rights)'}")
        results = []
        for number, (title, task, code, needle, why) in enumerate(tasks(nginx.port, credentials), 1):
            begin = time.monotonic()
            outcome = backend.run(task)
            results.append(show(number, title, task, outcome, code, needle, why, time.monotonic() - begin))
        if not ISOLATED:
            say("\n(skipped: the request for the metadata service, which needs a network namespace)")
        # The web server saw the two allowed requests and our own first look, nothing else.
        quiet = nginx.requests() == 3
        runner.send_signal(signal.SIGTERM)
        code = runner.wait(timeout=40)
        hidden = TOKEN not in log.read_text()
        lines = len(log.read_text().splitlines())
        say(f"\nThe refused tasks reached the web server: {'no' if quiet else paint('31', 'YES')}.  "
            f"The credential stands in the runner's log ({lines} lines): {'no' if hidden else paint('31', 'YES')}.  "
            f"The runner stopped on SIGTERM with exit code {code}.")
        success = all(results) and quiet and hidden and code == 0
    finally:
        if runner is not None and runner.poll() is None:
            runner.kill()
        backend.stop()
        if nginx.process is not None:
            nginx.process.terminate()
            nginx.process.wait()
        if success:
            shutil.rmtree(directory)
        else:
            say(f"left for a look: {directory}")
    say(paint("32", bold("\nquickstart: success")) if success else paint("31", bold("\nquickstart: FAILED")))
    return 0 if success else 1


if __name__ == "__main__":
    sys.exit(main())
