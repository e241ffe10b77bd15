"""com.datadoghq.http.request: what becomes of the answer, redirects, limits and settings. A row per rule of the plugin's README.md."""
import base64
import gzip
import json

from http_table import HttpTable, headers, plain

SHORT = "The HTTP request failed"


def answer(body=b"", content_type=None, status=200, **more):
    """An answer of scripted_server."""
    typed = [] if content_type is None else [("Content-Type", content_type)]
    return {"status": status, "headers": typed + more.pop("headers", []), "body": body if isinstance(body, bytes) else body.encode(), **more}


class Converted(HttpTable):
    def check(self, path, expected, done):
        """expected: the body of the output, or {"failed": part or parts of error_details}, which is shown as well."""
        if isinstance(expected, dict) and "failed" in expected:
            self.assert_failed(done, expected["failed"])
        else:
            self.assertEqual(self.outputs(done)["body"], expected)
        self.assertEqual(len(self.server.seen(path)), 1)

    def row(self, expected, *what, **inputs):
        return inputs, None, expected, answer(*what)

    def test_by_content_type(self):
        text = '{"a":[1,2.5,"é"]}'
        value = json.loads(text)
        binary = bytes([0, 1, 0xff, 0xfe])
        self.run_table({
            "nothing": self.row("", "", "application/json"),
            "nothing of a type that is none": self.row("", "", "/"),
            "application/json": self.row(value, text, "application/json"),
            "application/json whatever its case and charset": self.row(value, text, "Application/JSON; charset=UTF-8"),
            "JSON scalar": self.row(7, "7", "application/json"),
            "JSON that does not parse": self.row('{"a":', '{"a":', "application/json"),
            "JSON in latin1": self.row(value, text.encode("latin1"), "application/json; charset=iso-8859-1"),
            "application/problem+json is text": self.row(text, text, "application/problem+json"),
            "XML is text": self.row("<a>ü</a>", "<a>ü</a>", "application/xml"),
            "form": self.row({"a": "1", "b": "x y!", "c": ""}, "a=1&b=x+y%21&a=2&c", "application/x-www-form-urlencoded"),
            **{f"charset {charset}": self.row("é", b"\xe9", f"text/plain; charset={charset}")
               for charset in ("iso-8859-1", "ISO-8859-1", "iso88591", '"iso8859-1"')},
            "other charsets are UTF-8": self.row("\ufffd", b"\xe9", "text/plain; charset=windows-1252"),
            "bytes that are no UTF-8": self.row("a\ufffd\ufffdz", b"a\xff\xfez", "text/plain"),
            **{f"{kind} in base64": self.row(base64.b64encode(binary).decode(), binary, kind)
               for kind in ("image/png", "video/mp4", "audio/ogg", "font/woff2", "model/stl", "application/octet-stream",
                            "application/vnd.image.x")},
            "PDF is damaged text": self.row("%PDF\ufffd", b"%PDF\xff", "application/pdf"),
            "no type, text": self.row("plain text", "plain text"),
            "no type, JSON is text": self.row(text, text),
            "no type, PNG": self.row(base64.b64encode(b"\x89PNG\r\n\x1a\n..").decode(), b"\x89PNG\r\n\x1a\n.."),
            "no type, other bytes": self.row(base64.b64encode(binary).decode(), binary),
            **{f"malformed type {kind}": self.row({"failed": ["Content-Type", "malformed"]}, "x", kind)
               for kind in ("text/", "a b", "text/plain; charset", "text/plain; a=1; a=2", ";")},
        }, self.check)

    def test_parsing_by_input(self):
        text = '{"a":1}'
        self.run_table({
            "raw": self.row(text, text, "application/json", responseParsing="raw"),
            "any other is raw": self.row(text, text, "application/json", responseParsing="xml"),
            "json of any type": self.row({"a": 1}, text, "text/html", responseParsing="json"),
            "json in base64 is the text": self.row("eyJhIjoxfQ==", text, "application/json", responseEncoding="base64"),
            "form-urlencoded": self.row({"a": "1"}, "a=1", "text/plain", responseParsing="form-urlencoded"),
            "form-data without boundary": self.row({"failed": "boundary"}, "x", "text/plain", responseParsing="form-data"),
        }, self.check)

    def test_encoding_by_input(self):
        self.run_table({
            **{name: self.row("ü\ufffd", b"\xc3\xbc\xff", "image/png", responseEncoding=name)
               for name in ("ascii", "utf8", "utf-8", "binary")},
            **{name: self.row("a\U0001f600", "a\U0001f600".encode("utf-16-le"), "text/plain", responseEncoding=name)
               for name in ("utf16le", "ucs2", "ucs-2")},
            "UTF-16 of odd length": self.row({"failed": "odd"}, b"abc", "text/plain", responseEncoding="utf16le"),
            "latin1": self.row("\xc3\xbc", b"\xc3\xbc", "text/plain", responseEncoding="latin1"),
            "base64": self.row("+/8=", b"\xfb\xff", "application/pdf", responseEncoding="base64"),
            "base64url": self.row("-_8=", b"\xfb\xff", "text/plain", responseEncoding="base64url"),
            "hex": self.row("ab01", b"\xab\x01", "text/plain", responseEncoding="hex"),
        }, self.check)

    def test_multipart(self):
        body = (b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ntext\r\n"
                b"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"p.png\"\r\nContent-Type: image/png\r\n\r\n\x01\x02\r\n"
                b"--B\r\nContent-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json\r\n\r\n{\"x\":1}\r\n--B--\r\n")

        def parts(text, file, data):
            return [{"Filename": "", "Name": "a", "Type": "text/plain", "Data": text},
                    {"Filename": "p.png", "Name": "f", "Type": "image/png", "Data": file},
                    {"Filename": "", "Name": "j", "Type": "application/json", "Data": data}]

        kind = "multipart/form-data; boundary=B"
        self.run_table({
            "parts by their own type": self.row(parts("text", "AQI=", {"x": 1}), body, kind),
            "parts in a given encoding": self.row(parts("74657874", "0102", "7b2278223a317d"), body, kind, responseEncoding="hex"),
            "cut off": self.row({"failed": "cut off"}, body[:-6], kind),
            "other boundary": self.row({"failed": "boundary"}, body, "multipart/form-data; boundary=C"),
        }, self.check)

    def test_compressed(self):
        plain_text = b"again and again " * 4096
        packed = {"headers": [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")], "body": gzip.compress(plain_text)}

        def decoded(path, expected, done):
            output = self.outputs(done)
            self.assertEqual(output["body"], expected)
            self.assertEqual("Content-Encoding" in output["headers"], expected != plain_text.decode())

        self.run_table({
            "gzip is decoded": ({}, None, plain_text.decode(), packed),
            "not if the request names its encodings": ({"requestHeaders": headers(Accept_Encoding="gzip"), "responseEncoding": "base64"},
                                                       None, base64.b64encode(packed["body"]).decode(), packed),
        }, decoded)

    def test_output(self):
        def check(_, expected, done):
            self.assertEqual(self.outputs(done), expected)

        self.run_table({
            "all of it": ({}, None, {"status": 201, "body": "x", "headers": {
                "Content-Length": ["1"], "Content-Type": ["text/plain"], "X-Trace-Id": ["a1", "b2"]}},
                answer("x", "text/plain", 201, headers=[("x-trace-ID", "a1"), ("X-TRACE-id", "b2")])),
            "HEAD": ({"verb": "HEAD"}, None, {"status": 200, "body": "", "headers": {"Content-Length": ["3"]}}, answer("abc")),
            "204": ({}, None, {"status": 204, "body": "", "headers": {}}, answer("", None, 204)),
            "304": ({}, None, {"status": 304, "body": "", "headers": {}}, answer("", None, 304)),
        }, check)


class Statuses(HttpTable):
    def check(self, _, expected, done):
        """expected: the status of the output, or part or parts of error_details."""
        if isinstance(expected, int):
            self.assertEqual(self.outputs(done)["status"], expected)
        else:
            self.assert_failed(done, expected)

    def test_statuses(self):
        def listed(*entries, **more):
            return {"errorOnStatus": list(entries), **more}

        long_text = "x" * 749 + "ü" * 10
        self.run_table({
            **{f"{status} is an error": ({}, None, f"HTTP status {status}", answer("", None, status)) for status in (400, 404, 599, 999)},
            **{f"{status} is none": ({}, None, status, answer("", None, status)) for status in (200, 226, 299, 300, 304, 305, 399)},
            "code, reason, colon, body": ({}, None, "HTTP status 503 Service Unavailable: back soon",
                                          answer("back soon", "text/plain", 503)),
            "no body, no colon": ({}, None, "HTTP status 403 Nope", answer("", None, 403, reason="Nope")),
            "750 bytes are shown": ({}, None, ["HTTP status 400 Bad Request: " + "x" * 749 + "...", "769 bytes"],
                                    answer(long_text, "text/plain", 400)),
            "listed": (listed("201", "404"), None, ["HTTP status 201", "201, 404"], answer("", None, 201)),
            "in a range": (listed("200-204"), None, ["HTTP status 204", "200-204"], answer("", None, 204)),
            "not listed": (listed("201", "203-204"), None, 202, answer("", None, 202)),
            "never excused": (listed("404"), None, "HTTP status 500", answer("", None, 500)),
            "listed before the body is looked at": (listed("500"), None, "among errorOnStatus", answer("x", "bad/", 500)),
            "the body before a failing status": ({}, None, ["Content-Type", "HTTP status 502 Bad Gateway"], answer("x", "bad/", 502)),
            "3xx that is not followed": ({"followRedirect": False}, None, ["304", "followRedirect"], answer("", None, 304)),
            "unless statuses are listed": (listed("500", followRedirect=False), None, 302,
                                           answer("", None, 302, headers=[("Location", "/elsewhere")])),
        }, self.check)

    def test_redirects(self):
        def to(location, status=302):
            return answer("", None, status, headers=[("Location", location)])

        def arrived(path, expected, done):
            self.assertEqual(self.outputs(done)["status"], 200)
            last = self.server.seen(path + "/end")[-1]
            for name, value in expected.get("headers", {}).items():
                self.assertEqual(last.header(name), value, name)
            self.assertEqual((last.method, last.body.decode()), (expected["method"], expected.get("body", "")))

        secrets = {"Authorization": f"Bearer {self.key}", "Cookie": "c=1", "X-Kept": "x"}
        connection = self.token(*(plain(f"headers.{name}", value.replace(self.key, "{{key}}")) for name, value in secrets.items()))
        gone = {"Authorization": None, "Cookie": None, "X-Kept": "x"}
        rows = {
            **{f"{status} makes POST a GET": ({"verb": "POST", "body": "x", "requestHeaders": headers(Content_Type="text/plain")}, None,
                                              {"method": "GET", "headers": {"Content-Type": None}}, to("$PATH/end", status))
               for status in (301, 302, 303)},
            **{f"{status} keeps HEAD": ({"verb": "HEAD"}, None, {"method": "HEAD"}, to("$PATH/end", status)) for status in (301, 303)},
            **{f"{status} repeats method and body": ({"verb": "PUT", "body": "x"}, None, {"method": "PUT", "body": "x"},
                                                     to("$PATH/end", status)) for status in (307, 308)},
            "credentials stay on the host": ({}, connection, {"method": "GET", "headers": secrets}, to("$ORIGIN$PATH/end")),
            "credentials do not leave it": ({}, connection, {"method": "GET", "headers": gone}, to("http://localhost:$PORT$PATH/end")),
            "basic credentials neither": ({}, self.basic(), {"method": "GET", "headers": {"Authorization": None}},
                                          to("http://localhost:$PORT$PATH/end")),
        }
        self.run_table(rows, arrived)

    def test_how_many_redirects(self):
        for hops in (10, 11):
            for hop in range(hops):
                self.server.answer(f"/hops{hops}/{hop}", status=302, headers=[("Location", f"/hops{hops}/{hop + 1}")])
        self.server.answer("/loop", status=302, headers=[("Location", "/loop")])

        def check(_, expected, done):
            if expected:
                self.assert_failed(done, expected, SHORT)
            else:
                self.outputs(done)

        self.run_table({
            "ten are followed": ({"url": "$ORIGIN/hops10/0"}, None, None),
            "eleven are not": ({"url": "$ORIGIN/hops11/0"}, None, "more than 10 redirects"),
            "a loop ends": ({"url": "$ORIGIN/loop"}, None, "more than 10 redirects"),
            "to another scheme": ({}, None, "cannot be followed", answer("", None, 302, headers=[("Location", "ftp://h/")])),
            "without Location it is an answer": ({}, None, None, answer("", None, 302)),
        }, check)
        self.assertEqual(len(self.server.seen("/hops11/11")), 0)
        self.assertEqual(len(self.server.seen("/loop")), 11)


class Configured(HttpTable):
    CONFIG = {"httpTimeoutSeconds": 2,
              "plugins": {"com.datadoghq.http": {"strictUpstream": True, "maxResponseBytes": 1000}}}

    def test_limits(self):
        def check(_, expected, done):
            if expected is None:
                self.outputs(done)
            else:
                self.assert_failed(done, *expected)

        packed = gzip.compress(b"x" * 1001)
        self.run_table({
            "a body up to the limit": ({}, None, None, answer("x" * 1000, "text/plain")),
            "a larger one": ({}, None, (["1000 bytes", "maxResponseBytes"], None), answer("x" * 1001, "text/plain")),
            "the limit counts decoded bytes": ({}, None, ("maxResponseBytes", None),
                                               answer(packed, "text/plain", headers=[("Content-Encoding", "gzip")])),
            "the exchange has httpTimeoutSeconds": ({}, None, ("time limit", SHORT), answer("late", "text/plain", delay=6)),
            "the input timeout ends the task": ({"timeout": 1}, None, (
                "time limit of 1 s", f"time limit of 1 s exceeded: {SHORT}; whether it took effect is unknown", 1), answer("late", "text/plain", delay=6)),
        }, check)

    def test_strict_upstream(self):
        def check(path, expected, done):
            details, body = expected
            if details:
                self.assert_failed(done, details)
            else:
                self.outputs(done)
            self.assertIn(body.encode(), self.server.seen(path)[0].body)

        def put(**inputs):
            return {"verb": "PUT", **inputs}

        away = answer("", None, 302, headers=[("Location", "$ORIGIN/end")])
        self.run_table({
            "a text is quoted": (put(body='say "ü"'), None, (None, r'"say \"ü\""')),
            "an object is not": (put(body={"a": "b"}), None, (None, '{"a":"b"}')),
            "the connection's JSON is quoted": (put(), self.body('{"a":1}', "application/json"), (None, r'"{\"a\":1}"')),
            "a data URI stays encoded": (put(formData=[{"key": "f", "value": "data:a/b;base64,AQID", "type": "datauri"}]), None,
                                         (None, 'name="f"\r\n\r\nAQID\r\n')),
            "redirects are followed": ({"followRedirect": False}, None, (None, ""), away),
            "a final 3xx is an error": ({"followRedirect": False}, None, ("followRedirect", ""), answer("", None, 304)),
            "errorOnStatus is read afterwards": (put(body="x", errorOnStatus=["4xx"]), None, ("4xx", '"x"')),
            "responseEncoding is read afterwards": (put(body="x", responseEncoding="utf7"), None, ("utf7", '"x"')),
        }, check)
