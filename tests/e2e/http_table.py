"""What the tests of com.datadoghq.http share: outcomes, and tables of tasks against a scripted server."""
import itertools

from harness import SharedRunner, basic_auth, token_auth
from servers import scripted_server

NAMESPACE = "com.datadoghq.http"


def plain(name, value):
    """A token of a connection that is no secret; every dot of the name separates segments."""
    return {"name": name, "plain_text": value}


def headers(**pairs):
    """requestHeaders with one value each; _ stands for -."""
    return [{"key": key.replace("_", "-"), "value": [value]} for key, value in pairs.items()]


def pairs(**values):
    """A list of {key, value}, as urlParams, cookies and formData are."""
    return [{"key": key, "value": value} for key, value in values.items()]


class HttpRunner(SharedRunner):
    ALLOW = [f"{NAMESPACE}.*"]

    def assert_failed(self, done, details, shown=None, code=2):
        """`details` is a part of error_details, or several; `shown` all of api_error, None: the same text as error_details."""
        outcome = done["outcome"]
        self.assertEqual(done["state"], "failed", done)
        self.assertEqual(outcome["error_code"], code, outcome)
        for part in [details] if isinstance(details, str) else details:
            self.assertIn(part, outcome["error_details"])
        self.assertEqual(outcome["api_error"], shown or outcome["error_details"])

    def outputs(self, done):
        self.assertEqual(done["state"], "succeeded", done)
        return done["outcome"]["outputs"]


class HttpTable(HttpRunner):
    """A row is (inputs, connection or None, expected) and, if the server is to answer otherwise than 200 {}, the answer of
    scripted_server as a dictionary. Each row has a path of its own; in its url $URL stands for that, $ORIGIN, $PATH and $PORT for
    the parts, also in texts of the connection and in headers of the answer. An input that is ... (Ellipsis) is left out."""

    numbers = itertools.count()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(scripted_server())
        runner = cls.runner
        cls.key, cls.odd = runner.canaries.make("key", odd=False), runner.canaries.make("odd")
        cls.password = runner.canaries.make("password")
        tokens = runner.write_credentials("token.json", token_auth(key=cls.key, **{"odd name": cls.odd}))
        users = runner.write_credentials("basic.json", basic_auth(deploy=cls.password))
        cls.token_auth = [{"name": "root_tokens.key", "file": tokens}, {"name": ["root_tokens", "odd name"], "file": tokens}]
        cls.basic_auth = [plain("root_tokens.username", "deploy"), {"name": "root_tokens.password", "file": users}]

    def token(self, *more):
        return {"auth": "token", "tokens": [*self.token_auth, *more]}

    def basic(self, *more):
        return {"auth": "basic", "tokens": [*self.basic_auth, *more]}

    def body(self, content, content_type):
        return self.token(plain("body.content", content), plain("body.content_type", content_type))

    def fill(self, text, path):
        origin = self.server.url
        for name, value in {"$URL": origin + path, "$ORIGIN": origin, "$PATH": path, "$PORT": str(self.server.port)}.items():
            text = text.replace(name, value)
        return text

    def task(self, path, inputs, connection, action="request"):
        inputs = {"verb": "GET", "url": "$URL", **inputs}
        if isinstance(inputs["url"], str):
            inputs["url"] = self.fill(inputs["url"], path)
        task = {"action": f"{NAMESPACE}.{action}", "sec_datadog_header": "signed",
                "inputs": {name: value for name, value in inputs.items() if value is not ...}}
        if connection is not None:
            task["connection"] = {**connection, "tokens": [
                {name: self.fill(value, path) if name == "plain_text" else value for name, value in token.items()}
                for token in connection["tokens"]]}
        return task

    def run_table(self, rows, check, action="request"):
        """Runs all rows at once and calls check(path of the row, expected, task with its outcome) for each."""
        paths, tasks = [], []
        for inputs, connection, _, *answer in rows.values():
            paths.append(f"/row{next(self.numbers)}")
            if answer:
                filled = [(name, self.fill(value, paths[-1])) for name, value in answer[0].get("headers", [])]
                self.server.answer(paths[-1], **{**answer[0], "headers": filled})
            tasks.append(self.task(paths[-1], inputs, connection, action))
        for name, path, done in zip(rows, paths, self.backend.run_all(tasks)):
            with self.subTest(name):
                check(path, rows[name][2], done)
