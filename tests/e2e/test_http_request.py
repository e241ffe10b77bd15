"""com.datadoghq.http.request: what is sent, and what is refused before. A row per rule of the plugin's README.md."""
import base64
import email
import json

from http_table import HttpTable, headers, pairs, plain

# What the user of the workflow is shown, by the step that failed.
HEADERS = "The request headers are not valid"
URL = "The request URL is not valid"
URL_BUILD = "The request URL could not be built"
BODY = "The request body could not be built"
FORM = "The request form could not be built"
CREATE = "The request could not be created"

PNG = "data:image/png;base64,iVBORw0K"


def field(key, value, kind=...):
    return {"key": key, "value": value, **({} if kind is ... else {"type": kind})}


class Sent(HttpTable):
    def check(self, path, expected, done):
        """expected: method, target (behind the path), headers {name: value, or None: absent}, body, or json, or form."""
        self.outputs(done)
        requests = self.server.seen(path)
        self.assertEqual(len(requests), 1)
        sent = requests[0]
        self.assertEqual(sent.method, expected.get("method", "GET"))
        self.assertEqual(sent.target, path + expected.get("target", ""))
        for name, value in expected.get("headers", {}).items():
            self.assertEqual(sent.header(name), value, name)
        if "json" in expected:
            self.assertEqual(json.loads(sent.body), expected["json"])
        elif "form" in expected:
            self.assertEqual(self.parts(sent), expected["form"])
        else:
            self.assertEqual(sent.body.decode(), expected.get("body", ""))

    def parts(self, sent):
        """(name, content) of a field, (name, content, file name, type) of a file, as another implementation reads them."""
        message = email.message_from_bytes(b"Content-Type: " + sent.header("Content-Type").encode() + b"\r\n\r\n" + sent.body)
        self.assertEqual(message.get_content_type(), "multipart/form-data")
        found = []
        for part in message.get_payload():
            name = part.get_param("name", header="Content-Disposition")
            content = part.get_payload(decode=True)
            found.append((name, content.decode()) if part.get_filename() is None
                         else (name, content, part.get_filename(), part.get_content_type()))
        return found

    def test_verbs_and_inputs(self):
        absent = ["body", "requestHeaders", "urlParams", "formData", "followRedirect", "allowExpiredCertificate", "errorOnStatus",
                  "responseParsing", "responseEncoding"]
        self.run_table({
            **{f"verb {verb}": ({"verb": verb}, None, {"method": verb})
               for verb in ("HEAD", "GET", "PUT", "POST", "DELETE", "PATCH", "PURGE", "get")},
            "an empty verb is GET": ({"verb": ""}, None, {}),
            "null counts as absent": (dict.fromkeys(absent), None, {}),
            "unknown inputs are ignored": ({"headers": {"a": "b"}, "maxSize": 1, "contentType": "x"}, None, {}),
            "keys are found whatever their case": ({"URLPARAMS": [{"KEY": "a", "Value": "1"}]}, None, {"target": "?a=1"}),
            "cookies are one header": ({"cookies": pairs(a="1", b="{{ key }}"), "requestHeaders": headers(Cookie="c=3")}, self.token(),
                                       {"headers": {"Cookie": f"a=1; b={self.key}"}}),
        }, self.check)

    def test_headers(self):
        def basic(credentials):
            return "Basic " + base64.b64encode(credentials.encode()).decode()

        self.run_table({
            "values are joined with a comma": (
                {"requestHeaders": [{"key": "A", "value": ["1", "2"]}]}, None, {"headers": {"A": "1,2"}}),
            "runtime-worker-key is dropped": (
                {"requestHeaders": headers(Runtime_Worker_Key="a", X="b")}, self.token(plain("headers.runtime-worker-KEY", "c")),
                {"headers": {"Runtime-Worker-Key": None, "X": "b"}}),
            "the connection wins whatever the case": (
                {"requestHeaders": headers(x_key="input", Other="input")}, self.token(plain("headers.X-Key", "connection")),
                {"headers": {"X-Key": "connection", "Other": "input"}}),
            "of two inputs the later wins": ({"requestHeaders": headers(A="1", a="2")}, None, {"headers": {"A": "2"}}),
            "User-Agent and Sec-Datadog are the runner's": (
                {"requestHeaders": headers(user_agent="mine")},
                self.token(plain("headers.User-Agent", "theirs"), plain("headers.Sec-Datadog", "forged")),
                {"headers": {"User-Agent": "Datadog", "Sec-Datadog": "signed"}}),
            "what inputs may not set a connection may": (
                {}, self.token(plain("headers.X-Forwarded-For", "10.0.0.1")), {"headers": {"X-Forwarded-For": "10.0.0.1"}}),
            "basic credentials win": (
                {"requestHeaders": headers(authorization="mine")}, self.basic(plain("headers.Authorization", "theirs")),
                {"headers": {"Authorization": basic(f"deploy:{self.password}")}}),
            "no content type is made up": (
                {"verb": "POST", "body": {"a": 1}}, None,
                {"method": "POST", "headers": {"Content-Type": None, "Content-Length": "7"}, "json": {"a": 1}}),
            "user info of the URL is used": (
                {"url": "http://us%40er:p%3Aw@127.0.0.1:$PORT$PATH"}, None, {"headers": {"Authorization": basic("us@er:p:w")}}),
            "but not over an Authorization": (
                {"url": "http://user:pw@127.0.0.1:$PORT$PATH", "requestHeaders": headers(Authorization="Bearer x")}, None,
                {"headers": {"Authorization": "Bearer x"}}),
        }, self.check)

    def test_templates(self):
        tokens = json.dumps([{"tokenName": "key", "tokenValue": self.key}, {"tokenName": "odd name", "tokenValue": self.odd}],
                            separators=(",", ":"))
        values = {"{{key}}": self.key, "Bearer {{ key }}!": f"Bearer {self.key}!", "{{ [odd name] }}": self.odd,
                  "{{ Credentials }}": tokens, "{{$credentials}}": tokens, "<{{ nothing }}{{ key.member }}>": "<>",
                  "{ plain }} text": "{ plain }} text"}
        self.run_table({
            **{f"input header {text}": ({"requestHeaders": headers(X=text)}, self.token(), {"headers": {"X": value}})
               for text, value in values.items()},
            **{f"connection header {text}": ({}, self.token(plain("headers.X", text)), {"headers": {"X": value}})
               for text, value in values.items()},
            "connection parameter": ({}, self.token(plain("url_parameters.k", "{{key}}")), {"target": f"?k={self.key}"}),
            "base URL": ({}, self.token(plain("base_url", "http://127.0.0.1:$PORT{{ nothing }}")), {}),
            "not in url and urlParams": ({"url": "$URL?a={{key}}", "urlParams": pairs(b="{{key}}")}, self.token(),
                                         {"target": "?a=%7B%7Bkey%7D%7D&b=%7B%7Bkey%7D%7D"}),
            "not in body": ({"verb": "POST", "body": "{{key}}"}, self.token(), {"method": "POST", "body": "{{key}}"}),
            "not in formData": ({"verb": "POST", "formData": pairs(a="{{key}}")}, self.token(),
                                {"method": "POST", "form": [("a", "{{key}}")]}),
        }, self.check)

    def test_bodies(self):
        def post(body=..., **more):
            return {"verb": "POST", "body": body, **more}

        def sent(**what):
            return {"method": "POST", **what}

        fixed = self.body('{"key":"{{key}}","list":[1]}', "application/json")
        text = self.body("first {{key}}", "text/plain")
        self.run_table({
            "object": (post({"b": [1, 2.5, None, True], "a": "ü"}), None, sent(json={"b": [1, 2.5, None, True], "a": "ü"})),
            "whole numbers have no fraction": (post([3.0, 1e15]), None, sent(body="[3,1000000000000000]")),
            "number": (post(42), None, sent(body="42")),
            "boolean": (post(False), None, sent(body="false", headers={"Content-Length": "5"})),
            "a text goes out as it is": (post('say "ü"'), None, sent(body='say "ü"')),
            "whatever the content type": (post("{}", requestHeaders=headers(Content_Type="application/json")), None, sent(body="{}")),
            "an empty text is no body": (post(""), None, sent(headers={"Content-Length": "0"})),
            "GET with a body": ({"body": "x"}, None, {"body": "x"}),
            "the connection's JSON alone": (post(), fixed, sent(json={"key": self.key, "list": [1]})),
            "the connection's members win": (post({"key": "input", "own": {"deep": 1}}), fixed,
                                             sent(json={"key": self.key, "own": {"deep": 1}, "list": [1]})),
            "an empty text counts as none": (post(""), fixed, sent(json={"key": self.key, "list": [1]})),
            "+json is JSON": (post({"a": 1}), self.body('{"b":2}', "application/merge-patch+json"), sent(json={"a": 1, "b": 2})),
            "the header may say more": (post({}, requestHeaders=headers(Content_Type="application/json; charset=utf-8")), fixed,
                                        sent(json={"key": self.key, "list": [1]})),
            "only the exact spelling is compared": (post({}, requestHeaders=headers(content_type="text/xml")), fixed,
                                                    sent(json={"key": self.key, "list": [1]}, headers={"Content-Type": "text/xml"})),
            "the connection's text alone": (post(), text, sent(body=f"first {self.key}")),
            "the connection's text first": (post("second"), text, sent(body=f"first {self.key}\r\nsecond")),
        }, self.check)

    def test_forms(self):
        def post(*fields, **more):
            return {"verb": "POST", "formData": list(fields), **more}

        def sent(*parts):
            return {"method": "POST", "form": list(parts)}

        connection = self.body('[{"key":"b","value":"{{key}}"},{"key":"n{{nothing}}","value":"new"}]', "multipart/form-data")
        logo = ("logo", b"\x89PNG\r\n", "logo.png", "image/png")
        self.run_table({
            "fields keep their order": (post(field("b", "1"), field("a", "2", "string"), field("b", "3")), None,
                                        sent(("b", "1"), ("a", "2"), ("b", "3"))),
            "a data URI is a file": (post(field("x", "1"), field("logo", f"  {PNG}\n", "datauri")), None, sent(("x", "1"), logo)),
            "the content type is the form's": (
                post(field("a", "1"), requestHeaders=headers(Content_Type="text/plain")),
                self.token(plain("headers.content-type", "text/html")), sent(("a", "1"))),
            "the connection's fields win": (post(field("a", "1"), field("b", "2")), connection,
                                            sent(("a", "1"), ("b", self.key), ("n", "new"))),
            "the connection's form alone": (post(), connection, sent(("b", self.key), ("n", "new"))),
            "no fields are no form": (post(), None, {"method": "POST", "headers": {"Content-Type": None}}),
        }, self.check)

    def test_urls(self):
        base = plain("base_url", "https://127.0.0.1:$PORT/elsewhere")
        self.run_table({
            "query, then urlParams, then the connection's, sorted": (
                {"url": "$URL?b=1&a=x%20y&c", "urlParams": [{"key": "b", "value": "2"}, {"key": "a/ä", "value": "&="}]},
                self.token(plain("url_parameters.b", "3")), {"target": "?a=x+y&a%2F%C3%A4=%26%3D&b=1&b=2&b=3&c="}),
            "the fragment stays here": ({"url": "$URL?a=1#part"}, None, {"target": "?a=1"}),
            "the path keeps its escapes": ({"url": "$URL"}, None, {}),
            "scheme and path of the base URL do not matter": ({}, self.token(base), {}),
            "user info is no part of the host": ({"url": "http://u:p@127.0.0.1:$PORT$PATH"}, self.token(base), {}),
        }, self.check)


class Refused(HttpTable):
    CONFIG = {"allowlist": ["127.0.0.1", "*.invalid"]}

    def check(self, path, expected, done):
        """expected: (part or parts of error_details, all of api_error or None: the same). Nothing is sent."""
        self.assert_failed(done, *expected)
        self.assertEqual(self.server.seen(path), [])

    def test_inputs(self):
        self.run_table({
            "no verb": ({"verb": ...}, None, ("verb", None)),
            "no url": ({"url": ...}, None, ("url", None)),
            "empty url": ({"url": ""}, None, ("url", None)),
            "url of another type": ({"url": 7}, None, ("url", None)),
            "header without key": ({"requestHeaders": [{"value": ["x"]}]}, None, ("requestHeaders", None)),
            "header value of another type": ({"requestHeaders": [{"key": "a", "value": "x"}]}, None, ("requestHeaders", None)),
            "flag of another type": ({"followRedirect": "no"}, None, ("followRedirect", None)),
            "status of another type": ({"errorOnStatus": [404]}, None, ("errorOnStatus", None)),
            "verb that is no token": ({"verb": "GET /x"}, None, ("not an HTTP method", CREATE)),
            "verb CONNECT": ({"verb": "CONNECT"}, None, ("CONNECT", CREATE)),
            **{f"errorOnStatus {text!r}": ({"errorOnStatus": ["200", text]}, None, ([f'"{text}"', "500-599"], None))
               for text in ("", "abc", "4 04", " 404", "400-", "-404", "400-401-402", "599-500", "4.5", "9999999999999")},
            "unknown encoding": ({"responseEncoding": "utf7"}, None, (["utf7", "base64url"], None)),
        }, self.check)

    def test_headers(self):
        forbidden = ["Content-Length", "HOST", "x-forwarded-for", "X-Forwarded-Host", "X-Forwarded-Proto", "forwarded", "Sec-Datadog"]
        self.run_table({
            **{name: ({"requestHeaders": [{"key": name, "value": ["1"]}]}, None, ([f'"{name}"', "requestHeaders"], HEADERS))
               for name in forbidden},
            "name with a blank": ({"requestHeaders": [{"key": "a b", "value": ["1"]}]}, None, ('"a b"', HEADERS)),
            "value with a line end": ({"requestHeaders": [{"key": "A", "value": ["1\r\nB: 2"]}]}, None, ('"A"', HEADERS)),
            "value with a control character": ({"requestHeaders": headers(A="\x7f")}, None, ('"A"', HEADERS)),
        }, self.check)

    def test_templates(self):
        constructs = ["{{}}", "{{ }}", "{{{key}}}", "{{#if key}}x{{/if}}", "{{! note }}", "{{key", "{{helper key}}", "{{a/b}}",
                      "{{../a}}", "{{a..b}}", "{{[key}}", "{{~key}}", "{{> partial}}", "{{&key}}", "{{else}}", "{{@root}}", "\\{{key}}"]
        form = '[{"key":"a","value":"{{}}"}]'
        self.run_table({
            **{text: ({"requestHeaders": headers(X=text)}, self.token(), ("template", HEADERS)) for text in constructs},
            "connection header": ({}, self.token(plain("headers.X", "{{}}")), ("template", HEADERS)),
            "connection parameter": ({}, self.token(plain("url_parameters.k", "{{}}")), ("template", URL_BUILD)),
            "connection body": ({}, self.body("{{}}", "text/plain"), ("template", BODY)),
            "connection form": ({}, self.body(form, "multipart/form-data"), ("template", FORM)),
            "base URL": ({}, self.token(plain("base_url", "{{}}")), ("template", None)),
        }, self.check)

    def test_urls(self):
        def bound(base):
            return self.token(plain("base_url", base))

        self.run_table({
            "not absolute": ({"url": "/path"}, None, ("absolute", URL)),
            "other scheme": ({"url": "ftp://127.0.0.1$PATH"}, None, ("http://", URL)),
            "no host": ({"url": "http://:80$PATH"}, None, ("no host", URL)),
            "malformed escape": ({"url": "$URL/%zz"}, None, ("%25", URL)),
            "control character": ({"url": "$URL/\n/x"}, None, ("control character", URL)),
            "no port number": ({"url": "http://127.0.0.1:http$PATH"}, None, ("port", CREATE)),
            "other host than the base URL": ({}, bound("http://localhost:$PORT"), (["127.0.0.1", "localhost", "connection"], None)),
            "other port than the base URL": ({}, bound("http://127.0.0.1:1"), ("127.0.0.1:1", None)),
            "a port that is not written": ({"url": "https://127.0.0.1:443$PATH"}, bound("https://127.0.0.1"), ("127.0.0.1:443", None)),
            "base URL that is none": ({}, bound("127.0.0.1:$PORT"), ("base URL", None)),
            "host outside the allowlist": ({"url": "http://localhost:$PORT$PATH"}, None, (["allowlist", "localhost"], None)),
            "the allowlist looks at the host as it is dialled": (
                {"url": "http://127.0.0.1@localhost:$PORT$PATH"}, None, (["allowlist", "localhost"], None)),
            "host that does not exist": ({"url": "http://nowhere.invalid$PATH"}, None, ("nowhere.invalid", "The HTTP request failed")),
        }, self.check)

    def test_bodies_and_forms(self):
        fixed = self.body('{"a":1}', "application/json")
        self.run_table({
            "JSON connection, other input": ({"body": [1]}, fixed, ("must be an object", BODY)),
            "JSON connection that is no object": ({"body": {}}, self.body("[1]", "application/json"), ("not a JSON object", BODY)),
            "JSON connection that is no JSON": ({"body": {}}, self.body("{", "application/json"), ("not a JSON object", BODY)),
            "text connection, other input": ({"body": {}}, self.body("a", "text/plain"), ("must be a string", BODY)),
            "content type of another kind": ({"body": {}, "requestHeaders": headers(Content_Type="text/xml")}, fixed,
                                             (["text/xml", "application/json"], BODY)),
            "unknown field type": ({"formData": [field("f", "x", "file")]}, None, (['"f"', '"file"', "datauri"], FORM)),
            **{f"data URI {uri}": ({"formData": [field("f", uri, "datauri")]}, None, (['"f"', "base64,"], FORM))
               for uri in ("", "iVBORw0K", "data:", "data:;base64,AA==", "data:image/png,AA==", "data:image/png;a=b;base64,AA==",
                           "DATA:a/b;base64,AA==", "data:a/b;base64,A!==", "data:a/b;base64,AAAAA")},
            "connection form that is no list": ({}, self.body("{}", "multipart/form-data"), ("form of the connection", FORM)),
            "connection form without value": ({}, self.body('[{"key":"a"}]', "multipart/form-data"), ("form of the connection", FORM)),
            "body and form": ({"body": "x", "formData": pairs(a="1")}, None, ("not both", None)),
            "body and the connection's form": (
                {"body": "x"}, self.body('[{"key":"a","value":"1"}]', "multipart/form-data"), ("not both", None)),
            "form and the connection's body": ({"formData": pairs(a="1")}, fixed, ("not both", None)),
        }, self.check)

    def test_client_certificates(self):
        def connection(**tokens):
            path = self.runner.write_credentials("-".join(tokens) + ".json", {
                "auth_type": "Token Auth",
                "credentials": [{"tokenName": name, "tokenValue": value} for name, value in tokens.items()]})
            return {"auth": "token", "tokens": [{"name": f"root_tokens.{name}", "file": path} for name in tokens]}

        certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
        self.run_table({
            "certificate without key": ({}, connection(clientCertPairCrt=certificate), ("clientCertPairKey", None)),
            "no PEM text": ({}, connection(serverRootCACertificate="/etc/ssl/ca.pem"), ("serverRootCACertificate", None)),
        }, self.check)

    def test_the_first_mistake_in_the_order_of_processing_is_reported(self):
        mistakes = [
            ({"requestHeaders": [*headers(Host="x"), *headers(Bad="{{}}")]}, ("Host", HEADERS)),
            ({"requestHeaders": headers(Bad="{{}}")}, ("template", HEADERS)),
            ({"url": "http://localhost:$PORT$PATH"}, ("its connection is for", None)),
            ({"body": [1]}, ("must be an object", BODY)),
            ({"body": {}, "formData": [field("f", "x", "file")]}, ('"f"', FORM)),
            ({"formData": [field("f", "x")]}, ("not both", None)),
        ]
        connection = self.body('{"a":1}', "application/json")
        connection["tokens"].append(plain("base_url", "$ORIGIN"))
        rows = {}
        for first in range(len(mistakes)):
            # The mistakes from here on; of two for one input the earlier.
            inputs = {key: value for mistake, _ in reversed(mistakes[first:]) for key, value in mistake.items()}
            rows[f"from mistake {first}"] = ({**inputs, "verb": "a b"}, connection, mistakes[first][1])
        self.run_table(rows, self.check)
