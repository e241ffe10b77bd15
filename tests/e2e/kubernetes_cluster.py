"""The API server of tests/services/kubernetes as a test sees it: a look past the runner, and runners that find it."""
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import unittest
import uuid
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from harness import Backend, Runner, service, wait_until

JSON_PATCH = "application/json-patch+json"

EVERYTHING = ["com.datadoghq.kubernetes.core.*", "com.datadoghq.kubernetes.apps.*"]  # an allowlist

# Connections of a task.
IN_CLUSTER = {"auth": "token", "tokens": []}


def context(name):
    """The connection that chooses a context of the kubeconfig."""
    return {"auth": "token", "tokens": [{"name": "root_tokens.context", "plain_text": name}]}


class Request(NamedTuple):
    """A request as the server saw it; `path` as it was sent."""
    verb: str
    path: str
    query: dict
    body: dict
    status: int
    user: str


class Cluster:
    """Requests as par-setup, who may do anything and whom the audit log leaves out."""

    def __init__(self):
        self.variables = service("kubernetes")
        self.directory = pathlib.Path(self.variables["PAR_K8S_DIR"])
        self.url = self.variables["PAR_K8S_URL"]
        self.host, self.port = self.variables["KUBERNETES_SERVICE_HOST"], int(self.variables["KUBERNETES_SERVICE_PORT"])
        self.forget_seen()
        tls = ssl.create_default_context(cafile=self.variables["PAR_K8S_CA"])
        tls.load_cert_chain(self.directory / "pki/setup.crt", self.directory / "pki/setup.key")
        self.connection = http.client.HTTPSConnection(self.host, self.port, context=tls, timeout=60)

    def call(self, method, path, body=None, content="application/json", **query):
        """(status, JSON) of one request."""
        status, text = self.raw(method, path, body, content, **query)
        return status, json.loads(text)

    def raw(self, method, path, body=None, content="application/json", **query):
        headers = {"Accept": "application/json", "Content-Type": content}
        text = None if body is None else json.dumps(body, separators=(",", ":"))
        self.connection.request(method, path + ("?" + urlencode(query) if query else ""), text, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def done(self, method, path, body=None, **options):
        """The JSON of a request that must succeed."""
        status, answer = self.call(method, path, body, **options)
        if status >= 300:
            raise AssertionError(f"{method} {path}: {status} {answer.get('message')}")
        return answer

    def get(self, path):
        """The object, or None."""
        status, answer = self.call("GET", path)
        return answer if status == 200 else None

    def make(self, kind, name, namespace=None, labels=None, **members):
        """Creates the small manifest of a Kind with these labels and members; returns the object."""
        return self.done("POST", kind.collection(namespace), {**kind.manifest(name, namespace, **(labels or {})), **members})

    def names(self, kind, namespace=None, **query):
        return [item["metadata"]["name"] for item in self.done("GET", kind.collection(namespace), **query)["items"]]

    def make_namespace(self, **labels):
        """A new namespace, which nobody clears away: it goes with the server."""
        self.connection.close()  # the server ends what was idle for long; it is opened again by itself
        name = f"par-{uuid.uuid4().hex[:12]}"
        self.done("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        return name

    def grant(self, namespace, account, *rules):
        """Gives a service account of the namespace these rules in it; returns when the server knows."""
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        name = f"par-{uuid.uuid4().hex[:8]}"
        self.done("POST", f"{rbac}/roles", {"metadata": {"name": name}, "rules": list(rules)})
        self.done("POST", f"{rbac}/rolebindings", {
            "metadata": {"name": name}, "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}})
        for rule in rules:
            wait_until(lambda: self.allows(namespace, account, rule), f"{account} may {rule}")

    def allows(self, namespace, account, rule):
        attributes = {"namespace": namespace, "group": rule["apiGroups"][0], "resource": rule["resources"][0],
                      "verb": rule["verbs"][0], "name": rule.get("resourceNames", [""])[0]}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}", "resourceAttributes": attributes}}
        return self.done("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]

    def account(self, namespace, *rules):
        """A service account with these rules in the namespace: a folder as its pod finds it, for in_pod()."""
        name = f"par-{uuid.uuid4().hex[:8]}"
        self.done("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        self.grant(namespace, name, *rules)
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        shutil.copy(self.variables["PAR_K8S_CA"], folder / "ca.crt")
        (folder / "token").write_text(self.token(namespace, name))
        (folder / "namespace").write_text(namespace)
        return folder

    def token(self, namespace, account):
        answer = self.done("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
                           {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
        return answer["status"]["token"]

    def secrets(self):
        """All tokens and private keys that clients of the server use."""
        files = [*self.directory.glob("tokens/*"), *self.directory.glob("serviceaccount*/token"),
                 *(self.directory / f"pki/{name}.key" for name in ("admin", "viewer", "expired"))]
        return [file.read_text() for file in files]

    def forget_seen(self):
        self.audit_start = os.path.getsize(self.variables["PAR_K8S_AUDIT_LOG"])

    def seen(self, text):
        """What anyone but par-setup has asked the server since forget_seen(): the requests with `text` in their URI."""
        found = []
        with open(self.variables["PAR_K8S_AUDIT_LOG"]) as log:
            log.seek(self.audit_start)
            for line in log:
                event = json.loads(line) if text in line else {}
                if text in event.get("requestURI", "") and event["stage"] == "ResponseComplete":
                    uri = urlsplit(event["requestURI"])
                    found.append(Request(event["verb"], uri.path, dict(parse_qsl(uri.query, keep_blank_values=True)),
                                         event.get("requestObject"), event["responseStatus"]["code"],
                                         event.get("impersonatedUser", event["user"])["username"]))
        return found


def in_pod(cluster, folder):
    """Arguments of a Runner that finds `folder` as a pod finds its service account: in a mount namespace, since the place is
    a fixed one."""
    alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        raise unittest.SkipTest("no mount namespace can be made here")
    place = "/var/run/secrets/kubernetes.io"
    script = f'mount -t tmpfs tmpfs /var/run && mkdir -p {place} && ln -s "$1" {place}/serviceaccount && shift && exec "$@"'
    return {"wrapper": [*alone, "sh", "-c", script, "sh", str(folder)],
            "environment": {name: cluster.variables[name] for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")}}


class Home:
    """A home directory with a kubeconfig, and pki/ beside it for the paths in it that are relative."""

    def __init__(self, cluster, kubeconfig=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="par-home-"))
        (self.directory / ".kube").mkdir()
        (self.directory / ".kube/pki").symlink_to(cluster.directory / "pki")
        self.file = self.directory / ".kube/config"
        if kubeconfig is not None:
            self.write(kubeconfig)

    def write(self, kubeconfig):
        """Text, or an object to be written as JSON, which is YAML."""
        text = kubeconfig if isinstance(kubeconfig, str) else json.dumps(kubeconfig)
        new = self.file.with_name("config.new")
        new.write_text(text)
        new.rename(self.file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)


def kubeconfig_of(server, user=None, context_members=None, **cluster_members):
    """A kubeconfig with one cluster, user and context, all named "one"."""
    return {"apiVersion": "v1", "kind": "Config", "current-context": "one",
            "clusters": [{"name": "one", "cluster": {"server": server, **cluster_members}}],
            "users": [{"name": "one", "user": user or {}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one", **(context_members or {})}}]}


class KubernetesCase(unittest.TestCase):
    """A cluster, a namespace of its own in it for each case, and a runner: started by one of the start methods, in
    setUpClass where the cases share it, which TOGETHER = True says as well."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(lambda: cls.cluster.connection.close())

    def setUp(self):
        self.namespace = self.cluster.make_namespace()
        self.cluster.forget_seen()

    @classmethod
    def start(cls, connection=IN_CLUSTER, allow=EVERYTHING, **runner):
        """A backend and a runner; tasks without a connection of their own use this one."""
        cls.connection = connection
        cls.backend = cls.enterClassContext(Backend())
        cls.runner = cls.enterClassContext(Runner(cls.backend, allow=allow, **runner))
        for secret in cls.cluster.secrets():
            cls.runner.canaries.watch(secret)

    @classmethod
    def start_in_pod(cls, account="serviceaccount-cluster", **runner):
        """`account`: a folder of the service, or a path."""
        cls.start(IN_CLUSTER, **in_pod(cls.cluster, cls.cluster.directory / account), **runner)

    @classmethod
    def start_with_kubeconfig(cls, kubeconfig=None, connection=context("client-certificate"), **runner):
        """With the service's kubeconfig, or the given one."""
        if kubeconfig is None:
            kubeconfig = pathlib.Path(cls.cluster.variables["PAR_K8S_KUBECONFIG"]).read_text()
        cls.home = cls.enterClassContext(Home(cls.cluster, kubeconfig))
        cls.start(connection, environment={"HOME": str(cls.home.directory)}, **runner)

    # Tasks. An action is a full name, or a short one of the core.
    def task(self, action, inputs, connection=None):
        if "." not in action:
            action = f"com.datadoghq.kubernetes.core.{action}"
        return {"action": action, "inputs": inputs, "connection": connection or self.connection}

    def outcome(self, action, connection=None, **inputs):
        return self.backend.run(self.task(action, inputs, connection))["outcome"]

    def outputs(self, action, connection=None, **inputs):
        """The outputs of a task that must succeed."""
        outcome = self.outcome(action, connection, **inputs)
        self.assertNotIn("error_code", outcome, f"{action} {inputs}"[:500])
        return outcome["outputs"]

    def error(self, action, connection=None, *, code=2, **inputs):
        """The error text of a task that must fail with this code."""
        outcome = self.outcome(action, connection, **inputs)
        self.assertEqual(outcome.get("error_code"), code, f"{action} {inputs}: {outcome}"[:1000])
        return outcome["error_details"]

    def outcomes(self, tasks):
        """All of these tasks at once; their outcomes in the same order."""
        ids = self.backend.enqueue(tasks) if len(tasks) > 1 else [self.backend.enqueue(task) for task in tasks]
        return [self.backend.wait(task_id)["outcome"] for task_id in ids]
