"""Plays AWX / Automation Controller, which no package registry has. Its shapes are held against two clients of others, see clients.py.

    with Controller() as controller: controller.url, controller.launches, controller.requests

Standard library only.
"""
import base64
import contextlib
import json
import pathlib
import re
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from http_stand_in import HttpStandIn  # noqa: E402

TOKEN = "oauth-3f9c0token"
USER, PASSWORD = "bot", "pa55 wörd"
PAGE = 2  # summaries a page, so that there are several pages


class Controller(HttpStandIn):
    METHODS = ("GET", "POST", "OPTIONS", "HEAD")

    def __init__(self):
        super().__init__()
        self.templates = {7: "deploy", 8: "twice", 9: "twice", 10: "fails", 11: "closed", 12: "slow", 13: "canceled"}
        self.inventories = {3: "prod", 4: "staging"}
        self.jobs = {}
        self.launches = []  # (template id, body)
        self.broken = {}  # path prefix -> list of statuses, or "page", to answer with instead, one by one
        self.next_job = 318
        self.output = "PLAY [all] ***\nok: [web1]\n"

    def answer(self, request):
        def say(status, value, content_type="application/json"):
            data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            request.send_response(status)
            request.send_header("Content-Type", content_type)
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            if request.command != "HEAD":
                with contextlib.suppress(OSError):  # a client may have seen enough
                    request.wfile.write(data)

        path, _, query = request.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        for prefix, statuses in self.broken.items():
            if path.startswith(prefix) and statuses:
                status = statuses.pop(0)
                return say(502, "<html>" + "x" * (9 << 20), "text/html") if status == "page" else \
                    say(status, {"detail": "the database is away"})
        if path == "/api/":
            return say(200, {"description": "AWX REST API", "current_version": "/api/v2/",
                             "available_versions": {"v2": "/api/v2/"}, "custom_logo": "", "oauth2": "/api/o/"})
        if path == "/api/v2/":
            return say(200, {name: f"/api/v2/{name}/" for name in ("job_templates", "jobs", "inventories", "config", "me", "ping")})
        allowed = {f"Bearer {TOKEN}", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
        if request.headers.get("Authorization") not in allowed:
            return say(401, {"detail": "Authentication credentials were not provided. To establish a login session, visit /api/login/."})
        if path == "/api/v2/config/":
            return say(200, {"version": "24.6.1", "license_info": {}})
        if request.command == "OPTIONS":
            return say(200, {"name": "x", "description": "", "renders": ["application/json"], "parses": ["application/json"],
                             "actions": {"GET": {}, "POST": {}}})
        return self.resource(request, path, query, say)

    def resource(self, request, path, query, say):
        for collection, objects in (("job_templates", self.templates), ("inventories", self.inventories)):
            if path == f"/api/v2/{collection}/":
                wanted = query.get("name", query.get("name__exact"))
                results = [self.described(collection, number, name) for number, name in objects.items() if wanted in (None, name)]
                return say(200, {"count": len(results), "next": None, "previous": None, "results": results})
            found = re.fullmatch(rf"/api/v2/{collection}/(\d+)/", path)
            if found and int(found[1]) in objects:
                return say(200, self.described(collection, int(found[1]), objects[int(found[1])]))
        found = re.fullmatch(r"/api/v2/job_templates/(\d+)/launch/", path)
        if found and int(found[1]) in self.templates:
            template = int(found[1])
            if request.command == "GET":
                return say(200, {"can_start_without_user_input": True, "ask_variables_on_launch": True, "ask_limit_on_launch": True,
                                 "ask_inventory_on_launch": True, "variables_needed_to_start": [], "passwords_needed_to_start": [],
                                 "defaults": {}})
            return self.launch(template, json.loads(request.body or b"{}"), say)
        found = re.fullmatch(r"/api/v2/jobs/(\d+)/(stdout/|job_host_summaries/)?", path)
        if found and int(found[1]) in self.jobs:
            return self.job(int(found[1]), found[2], query, say)
        return say(404, {"detail": "Not found."})

    @staticmethod
    def described(collection, number, name):
        url = f"/api/v2/{collection}/{number}/"
        asks = {f"ask_{what}_on_launch": True for what in ("variables", "limit", "inventory", "tags", "skip_tags", "job_type", "verbosity",
                                                           "credential", "scm_branch", "diff_mode", "execution_environment", "forks",
                                                           "instance_groups", "job_slice_count", "labels", "timeout")}
        return {"id": number, "type": collection[:-1], "url": url, "name": name, "summary_fields": {}, "survey_enabled": False,
                "related": {"launch": url + "launch/", "survey_spec": url + "survey_spec/"}, **asks}

    def launch(self, template, body, say):
        if self.templates[template] == "closed":
            return say(400, {"variables_needed_to_start": ["'region' value missing"]})
        if "extra_vars" in body and not isinstance(body["extra_vars"], (str, dict)):
            return say(400, {"extra_vars": ["Must be a string or an object."]})
        self.launches.append((template, body))
        number, self.next_job = self.next_job, self.next_job + 1
        self.jobs[number] = {"template": template, "polls": 0}
        ignored = {"verbosity": body["verbosity"]} if "verbosity" in body else {}
        return say(201, {"job": number, "ignored_fields": ignored, **self.state(number, "pending")})

    def state(self, number, status):
        url = f"/api/v2/jobs/{number}/"
        ended = status in ("successful", "failed", "canceled", "error")
        return {"id": number, "type": "job", "url": url, "status": status, "failed": status != "successful" and ended,
                "started": None if status == "pending" else "2026-01-02T03:04:05.123456Z",
                "finished": "2026-01-02T03:04:41.123456Z" if ended else None, "elapsed": 36.0 if ended else 0.0,
                "event_processing_finished": ended, "job_explanation": "",
                "related": {"stdout": url + "stdout/", "job_host_summaries": url + "job_host_summaries/"}}

    def job(self, number, part, query, say):
        job = self.jobs[number]
        name = self.templates[job["template"]]
        if part == "stdout/":
            if len(self.output) > 1 << 20 and query.get("format") != "txt_download":
                return say(200, f"Standard Output too large to display ({len(self.output)} bytes), only download supported for sizes "
                                "over 1048576 bytes.", "text/plain; charset=utf-8")
            return say(200, self.output, "text/plain; charset=utf-8")
        if part == "job_host_summaries/":
            hosts = [{"host_name": f"web{i}", "ok": 5, "changed": 2, "failures": int(name == "fails" and i == 2),
                      "dark": int(name == "fails" and i == 3), "skipped": 1, "processed": 1} for i in (1, 2, 3)]
            page = int(query.get("page", 1))
            following = f"/api/v2/jobs/{number}/job_host_summaries/?page={page + 1}" if page * PAGE < len(hosts) else None
            return say(200, {"count": len(hosts), "next": following, "previous": None, "results": hosts[(page - 1) * PAGE:page * PAGE]})
        job["polls"] += 1
        if job["polls"] == 1 or name == "slow":
            return say(200, self.state(number, "running"))
        return say(200, self.state(number, {"fails": "failed", "canceled": "canceled"}.get(name, "successful")))
