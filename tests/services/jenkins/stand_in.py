"""Plays today's Jenkins where the Hudson of this folder differs: 201 with Location, 401, 409, folders, DELETE.

    with StandIn() as jenkins: jenkins.url, jenkins.jobs, jenkins.requests

Its shapes are held against two client libraries of others, see clients.py. Standard library only.
"""
import base64
import json
import pathlib
import re
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from http_stand_in import HttpStandIn  # noqa: E402

USER, TOKEN = "bot", "11d1b6a0token"
PAGE = "<html><head><title>Error</title></head><body>{}</body></html>"


class Job:
    """A job with its builds, the last one first; in a folder if `path` has several parts."""

    def __init__(self, parameters=(), disabled=False, builds=()):
        self.parameters, self.disabled, self.builds = parameters, disabled, list(builds)
        self.started = []  # parameters of each build that was asked for


class StandIn(HttpStandIn):
    METHODS = ("GET", "POST", "DELETE", "HEAD")

    def __init__(self):
        super().__init__()
        self.jobs = {
            "app": Job(builds=[{"number": 42, "building": False, "duration": 61234, "estimatedDuration": 60000,
                                "result": "SUCCESS"}]),
            "running": Job(builds=[{"number": 7, "building": True, "duration": 0, "estimatedDuration": -1, "result": None}]),
            "new": Job(),
            "params": Job(parameters=("GREETING", "COUNT")),
            "disabled": Job(disabled=True),
            "team/app": Job(builds=[{"number": 3, "building": False, "duration": 5, "estimatedDuration": 4,
                                     "result": "FAILURE"}]),
            "team/sub team/app": Job(),
            "gone": Job(), "gone204": Job(),
        }
        self.queued = 0

    def answer(self, request):
        def say(status, body="", content_type="text/html;charset=utf-8", **headers):
            data = body.encode()
            request.send_response(status)
            request.send_header("X-Jenkins", "2.555")
            if status != 204:
                request.send_header("Content-Length", str(len(data)))
                request.send_header("Content-Type", content_type)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()
            if request.command != "HEAD":
                request.wfile.write(data)

        def json_answer(value):
            say(200, json.dumps(value), "application/json;charset=utf-8")

        expected = "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        given = request.headers.get("Authorization")
        if given is not None and given != expected:
            return say(401, PAGE.format("Unauthorized"), WWW_Authenticate='Basic realm="Jenkins"')
        if given is None:
            return say(403, PAGE.format("Authentication required"))

        path, _, query = request.path.partition("?")
        if path in ("/api/json", "/"):
            return json_answer({"_class": "hudson.model.Hudson", "mode": "NORMAL", "url": self.url + "/",
                                "jobs": self.items("")})
        if path == "/crumbIssuer/api/json":
            return json_answer({"_class": "hudson.security.csrf.DefaultCrumbIssuer", "crumb": "5e1f",
                                "crumbRequestField": "Jenkins-Crumb"})
        item = re.fullmatch(r"/queue/item/(\d+)/api/json", path)
        if item:
            return json_answer({"_class": "hudson.model.Queue$WaitingItem", "id": int(item[1]), "buildable": False})
        name, action = self.locate(path)
        if self.items(name) and action == "api/json":
            return json_answer({**self.brief(name), "jobs": self.items(name)})
        if name not in self.jobs:
            return say(404, PAGE.format("Not Found"))
        job = self.jobs[name]
        if request.command == "DELETE" and action == "" or request.command == "POST" and action == "doDelete":
            del self.jobs[name]
            return say(204) if name == "gone204" else say(302, Location=self.url + "/")
        if request.command == "POST" and action in ("build", "buildWithParameters"):
            if action == "build" and job.parameters:
                return say(400, PAGE.format("This page expects a form submission"))
            if job.disabled:
                return say(409, PAGE.format(f"{name} is not buildable"))
            values = dict(urllib.parse.parse_qsl(query) + urllib.parse.parse_qsl(request.body.decode()))
            values.pop("delay", None)
            job.started.append(values)
            self.queued += 1
            return say(201, Location=f"{self.url}/queue/item/{self.queued}/")
        if request.command == "GET" and action == "api/json":
            return json_answer(self.full(name))
        if request.command == "GET" and action == "lastBuild/api/json" and job.builds:
            build = job.builds[0]
            number = build["number"]
            return json_answer({"_class": "hudson.model.FreeStyleBuild", "displayName": f"#{number}", "id": str(number),
                                "fullDisplayName": f"{name} #{number}", "url": f"{self.job_url(name)}{number}/", **build})
        return say(404, PAGE.format("Not Found"))

    def locate(self, path):
        """The name of the job or folder of a path, and what follows it."""
        parts, rest = [], path
        while rest.startswith("/job/"):
            part, _, rest = rest[len("/job/"):].partition("/")
            parts.append(urllib.parse.unquote(part))
            rest = "/" + rest
        return "/".join(parts), rest.strip("/")

    def items(self, folder):
        """What lies in a folder; the root is ""."""
        prefix = folder + "/" if folder else ""
        inside = [name.removeprefix(prefix).split("/")[0] for name in self.jobs if name.startswith(prefix)]
        return [self.brief(prefix + name) for name in dict.fromkeys(inside)]

    def job_url(self, name):
        return self.url + "".join("/job/" + urllib.parse.quote(part) for part in name.split("/")) + "/"

    def brief(self, name):
        kind = "hudson.model.FreeStyleProject" if name in self.jobs else "com.cloudbees.hudson.plugins.folder.Folder"
        return {"_class": kind, "name": name.rsplit("/", 1)[-1], "url": self.job_url(name)}

    def full(self, name):
        job = self.jobs[name]
        parameters = [{"name": parameter, "type": "StringParameterDefinition"} for parameter in job.parameters]
        return {**self.brief(name), "fullName": name, "buildable": not job.disabled, "builds": [
            {"number": build["number"], "url": f"{self.job_url(name)}{build['number']}/"} for build in job.builds],
            "lastBuild": None, "actions": [], "nextBuildNumber": 1, "color": "blue", "inQueue": False,
            "property": [{"_class": "hudson.model.ParametersDefinitionProperty", "parameterDefinitions": parameters}]
            if parameters else []}
