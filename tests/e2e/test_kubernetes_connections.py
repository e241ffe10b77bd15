"""The ways to a cluster: service account, every form of kubeconfig, credential plugins, rotation; what each failure says."""
import base64
import datetime
import json
import os
import pathlib
import shutil
import tempfile

import servers
from kubernetes_cluster import IN_CLUSTER, KubernetesCase, context, in_pod, kubeconfig_of

SERVICES = ["kubernetes"]
NAMESPACE = "par-e2e"


class Case(KubernetesCase):
    def setUp(self):
        super().setUp()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="par-test-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def read(self, name):
        return (self.cluster.directory / name).read_text()

    # Other cases ask in the same namespace at the same time: the selector tells whose request it is.
    def inputs(self):
        return {"namespace": NAMESPACE, "labelSelector": f"run={self.namespace}"}

    def works(self, connection=None):
        self.assertEqual(self.outputs("listConfigMap", connection, **self.inputs())["items"], [])

    def fails(self, connection=None):
        return self.error("listConfigMap", connection, **self.inputs())

    def user_of_last_request(self):
        return self.cluster.seen(self.namespace)[-1].user


class KubeconfigCase(Case):
    """One runner, whose kubeconfig is written anew by each case."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_with_kubeconfig()

    def setUp(self):
        super().setUp()
        self.home.write(self.read("kubeconfig"))

    def lead_to_cluster(self, user, **members):
        """A kubeconfig with one context, which is current: "one"."""
        ca = self.cluster.variables["PAR_K8S_CA"]
        kubeconfig = kubeconfig_of(self.cluster.url, user, **{"certificate-authority": ca, **members})
        self.home.write(kubeconfig)
        return kubeconfig


class Kubeconfig(KubeconfigCase):
    TOGETHER = True

    def test_every_context_of_the_real_file(self):
        for name, user in (
                ("client-certificate", "par-admin"), ("client-certificate-files", "par-admin"),
                ("client-certificate-relative-files", "par-admin"), ("viewer", "par-viewer"), ("token", "par-admin"),
                ("token-file", "par-admin"), ("exec", "par-admin"), ("insecure", "par-admin"), ("tls-server-name", "par-admin"),
                ("token-runner", "system:serviceaccount:par-e2e:runner"), ("", "par-admin")):
            with self.subTest(name):
                self.works(context(name))
                self.assertEqual(self.user_of_last_request(), user)
        for name, words in (
                ("refused-basic", ['User "system:anonymous" cannot']),  # passwords left Kubernetes with 1.19
                ("refused-nobody", ['User "par-nobody" cannot list resource "configmaps"']),
                ("refused-token-unknown", ["Unauthorized"]), ("refused-certificate-expired", ["Unauthorized"]),
                ("refused-ca-wrong", [f"{self.cluster.host}:{self.cluster.port}", "certificate"]),
                ("refused-ca-none", [f"{self.cluster.host}:{self.cluster.port}", "certificate"]),
                ("refused-tls-server-name", ["certificate", "ostname mismatch"])):
            with self.subTest(name):
                error = self.fails(context(name))
                for word in words:
                    self.assertIn(word, error)

    def test_the_namespace_of_a_context_is_not_used(self):
        self.assertIn("namespace", self.error("getPod", context("client-certificate"), name="x"))

    def test_which_tokens_choose_a_context(self):
        error = self.fails(context("nowhere"))
        for word in ("nowhere", "client-certificate", "tls-server-name", str(self.home.file)):
            self.assertIn(word, error)
        for tokens in ([("root_tokens.context", "token"), ("root_tokens.other", "x")], [("root_tokens.other", "token")]):
            error = self.fails({"auth": "token", "tokens": [{"name": name, "plain_text": text} for name, text in tokens]})
            self.assertIn("context", error)
            self.assertIn("other", error)

    def test_files_that_cannot_be_used_each_say_why(self):
        server, ca = self.cluster.url, self.cluster.variables["PAR_K8S_CA"]
        good = self.lead_to_cluster({"token": self.read("tokens/par-admin")})
        self.works(context("one"))

        def user(**members):
            return kubeconfig_of(server, members, **{"certificate-authority": ca})

        def changed(**members):
            return {**good, **members}

        torn_certificate = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAA").decode()
        not_executable = self.scratch / "not-executable"
        not_executable.write_text("#!/bin/sh\n")

        def run(script, **members):
            return user(exec={"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": "sh",
                              "args": ["-c", script], **members})

        cases = [
            ("clusters: [", ["line"]),
            ("- a\n- b\n", ["clusters", "contexts"]),
            (changed(**{"current-context": None}), ["current-context"]),
            (changed(**{"current-context": "other"}), ["other", "one"]),
            (changed(clusters=[]), ["cluster", "one"]),
            (changed(users=[]), ["user", "one"]),
            (changed(contexts=[{"name": "one", "context": {"user": "one"}}]), ["cluster"]),
            (kubeconfig_of(None), ["server"]),
            (kubeconfig_of("ftp://127.0.0.1"), ["server", "https://"]),
            (kubeconfig_of(server, {}, **{"certificate-authority": "/no/such/ca.crt"}), ["/no/such/ca.crt"]),
            (kubeconfig_of(server, {}, **{"certificate-authority-data": "%%%"}), ["certificate-authority-data", "base64"]),
            (kubeconfig_of(server, {}, **{"certificate-authority-data": torn_certificate}), ["certificate"]),
            (user(tokenFile="/no/such/token"), ["/no/such/token"]),
            (user(**{"client-certificate": "/no/such.crt", "client-key": "/no/such.key"}), ["/no/such"]),
            (user(**{"client-certificate": str(self.cluster.directory / "pki/admin.crt")}), ["client-key"]),
            (user(**{"client-certificate": str(self.cluster.directory / "pki/admin.crt"),
                     "client-key": str(self.cluster.directory / "pki/viewer.key")}), ["key"]),
            (run("echo something went wrong >&2; exit 3"), ["3", "something went wrong"]),
            (run("true"), ["credentials"]),
            (run("echo '{'"), ["JSON"]),
            (run("""echo '{"apiVersion": "v2", "kind": "ExecCredential", "status": {"token": "x"}}'"""), ["apiVersion"]),
            (run("""echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {}}'"""), ["token"]),
            (run("true", command="/no/such/program", installHint="get it from the cellar"),
             ["/no/such/program", "get it from the cellar"]),
            (run("true", command=str(not_executable)), [str(not_executable)]),
            (run("true", apiVersion="client.authentication.k8s.io/v9"), ["apiVersion", "client.authentication.k8s.io/v1"]),
            (run("true", interactiveMode="Always"), ["interactiveMode"]),
            (user(**{"auth-provider": {"name": "gcp"}}), ["auth-provider"]),
            (user(token="x", username="y", password="z"), ["token", "username"]),
            (kubeconfig_of(server, {}, **{"certificate-authority": ca, "insecure-skip-tls-verify": True}),
             ["insecure-skip-tls-verify"]),
            (kubeconfig_of(server, {"token": "x"}, **{"certificate-authority": ca, "proxy-url": "ftp://127.0.0.1:1"}), ["proxy-url"]),
        ]
        texts = []
        for kubeconfig, words in cases:
            self.home.write(kubeconfig)
            with self.subTest(kubeconfig=str(kubeconfig)[-300:]):
                texts.append(self.fails(context("")))
                for word in words:
                    self.assertIn(word, texts[-1])
        self.assertEqual(len(set(texts)), len(cases), "each has its own message")
        self.home.file.unlink()
        self.assertIn(str(self.home.file), self.fails())
        self.home.write(good)
        self.works(context("one"))

    def test_a_user_may_act_as_another(self):
        self.lead_to_cluster({"token": self.read("tokens/par-admin"), "as": "par-nobody",
                              "as-groups": ["par:viewers", "par:others"]})
        user = self.outputs("testConnection", context("one"))["userInfo"]
        self.assertEqual(user["username"], "par-nobody")
        self.assertEqual(set(user["groups"]), {"par:viewers", "par:others", "system:authenticated"})

    def test_a_token_file_is_read_for_each_task(self):
        token = self.scratch / "token"
        self.lead_to_cluster({"tokenFile": str(token)})
        for user in ("par-admin", "par-viewer"):
            token.write_text(self.read(f"tokens/{user}") + "\n")
            self.works(context("one"))
            self.assertEqual(self.user_of_last_request(), user)

    def test_a_proxy_of_the_cluster(self):
        with servers.relay(self.cluster.host, self.cluster.port, as_proxy=True) as proxy:
            self.lead_to_cluster({"token": self.read("tokens/par-admin")}, **{"proxy-url": f"http://127.0.0.1:{proxy.port}"})
            self.works(context("one"))
            self.assertEqual([line.split()[:2] for line in proxy.asked_for], [["CONNECT", f"127.0.0.1:{self.cluster.port}"]])

    def test_two_clusters_each_get_their_own_token(self):
        def other(handler):
            servers.reply(handler, 200, {"metadata": {"name": "of-the-other"}})

        with servers.http_server(other) as second:
            both = self.lead_to_cluster({"token": self.read("tokens/par-admin")})
            both["clusters"].append({"name": "two", "cluster": {"server": second.url + "/prefix/"}})
            both["users"].append({"name": "two", "user": {"token": "token-of-two"}})
            both["contexts"].append({"name": "two", "context": {"cluster": "two", "user": "two"}})
            self.home.write(both)
            for name, expected in (("one", NAMESPACE), ("two", "of-the-other")) * 3:
                self.assertEqual(self.outputs("getNamespace", context(name), name=NAMESPACE)["metadata"]["name"], expected)
            for method, path, headers in second.requests:
                self.assertEqual((method, path), ("GET", f"/prefix/api/v1/namespaces/{NAMESPACE}"))
                self.assertEqual(headers["Authorization"], "Bearer token-of-two")
            self.assertEqual(len(second.requests), 3)


class Exec(KubeconfigCase):
    """Credential plugins."""

    TOGETHER = True

    def use_plugin(self, status, **members):
        """`status`: of the ExecCredential, read from a file at each call, so that it can be changed."""
        self.credential, self.calls = self.scratch / "credential", self.scratch / "calls"
        self.give(status)
        script = f'echo "$KUBERNETES_EXEC_INFO $COLOUR" >>{self.calls}; cat {self.credential}'
        self.lead_to_cluster({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
            "interactiveMode": "IfAvailable", "env": [{"name": "COLOUR", "value": "blue"}], **members}})

    def give(self, status):
        self.credential.write_text(json.dumps({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))

    def called(self):
        return self.calls.read_text().splitlines()

    @staticmethod
    def expires(seconds):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_its_answer_is_kept_until_it_expires(self):
        token = self.read("tokens/par-admin")
        self.use_plugin({"token": token, "expirationTimestamp": self.expires(3600)}, provideClusterInfo=True)
        for outcome in self.outcomes([self.task("getNamespace", {"name": NAMESPACE}, context(""))] * 8):
            self.assertNotIn("error_code", outcome)
        self.works(context(""))
        self.assertEqual(len(self.called()), 1)
        info, colour = self.called()[0].rsplit(" ", 1)
        self.assertEqual(colour, "blue")
        cluster = json.loads(info)["spec"]["cluster"]
        self.assertEqual(cluster["server"], self.cluster.url)
        self.assertEqual(json.loads(info)["spec"]["interactive"], False)

    def test_an_expired_answer_is_asked_for_again(self):
        self.use_plugin({"token": self.read("tokens/par-admin"), "expirationTimestamp": self.expires(-1)})
        for _ in range(2):
            self.works(context(""))
        self.assertEqual(len(self.called()), 2)

    def test_a_refused_token_is_asked_for_again(self):
        self.use_plugin({"token": self.read("tokens/unknown"), "expirationTimestamp": self.expires(3600)})
        self.assertIn("Unauthorized", self.fails(context("")))
        self.give({"token": self.read("tokens/par-viewer")})
        self.works(context(""))
        self.assertEqual(self.user_of_last_request(), "par-viewer")
        before = len(self.called())
        self.works(context(""))
        self.assertEqual(len(self.called()), before)

    def test_it_sees_the_environment_without_the_settings_of_the_runner(self):
        seen = self.scratch / "environment"
        self.use_plugin({"token": self.read("tokens/par-admin")}, args=["-c", f"env >{seen}; cat {self.scratch}/credential"])
        self.works(context(""))
        names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
        self.assertLessEqual({"HOME", "PATH", "COLOUR", "KUBERNETES_EXEC_INFO"}, names)
        self.assertEqual([name for name in names if name.startswith(("DD_", "PAR_", "RUNNER_"))], [])

    def test_a_client_certificate(self):
        self.use_plugin({"clientCertificateData": self.read("pki/viewer.crt"), "clientKeyData": self.read("pki/viewer.key")})
        self.works(context(""))
        self.assertEqual(self.user_of_last_request(), "par-viewer")

    def test_one_that_hangs_ends_with_the_task(self):
        self.use_plugin({"token": "x"}, args=["-c", "sleep 300"])
        self.assertIn("time limit of 1 s", self.error("getNamespace", context(""), code=1, name=NAMESPACE, timeout=1))


class ServiceAccount(Case):
    def account_folder(self, token):
        """A folder as the kubelet makes it, where the files are links into a folder that is swapped as a whole."""
        self.folder = self.scratch / "serviceaccount"
        self.folder.mkdir()
        for name in ("token", "ca.crt", "namespace"):
            (self.folder / name).symlink_to(f"..data/{name}")
        self.rotate(token, self.cluster.variables["PAR_K8S_CA"])

    def rotate(self, token, ca):
        data = pathlib.Path(tempfile.mkdtemp(prefix="..", dir=self.folder))
        (data / "token").write_text(token)
        (data / "namespace").write_text(NAMESPACE)
        shutil.copy(ca, data / "ca.crt")
        (self.folder / "..new").symlink_to(data.name)
        os.rename(self.folder / "..new", self.folder / "..data")

    def test_rotated_token_and_ca_are_used_without_a_restart(self):
        ca, other_ca = self.cluster.variables["PAR_K8S_CA"], self.cluster.directory / "pki/sni-ca.crt"
        good = self.read("serviceaccount/token")
        self.account_folder(self.read("tokens/revoked"))
        self.start_in_pod(self.folder)
        self.assertIn("Unauthorized", self.fails())
        self.rotate(good, ca)
        self.works()
        self.rotate(self.read("serviceaccount-full/token"), ca)
        self.works()
        self.assertEqual(self.user_of_last_request(), "system:serviceaccount:par-e2e:runner-full")
        self.rotate(good, other_ca)
        self.assertIn("certificate", self.fails())
        self.rotate(good, ca)
        self.works()

    def test_a_missing_token_is_named(self):
        self.account_folder("x")
        self.start_in_pod(self.folder)
        (self.folder / "token").unlink()
        self.assertIn("/var/run/secrets/kubernetes.io/serviceaccount/token", self.fails())

    def test_outside_of_a_cluster_the_error_says_what_was_looked_for(self):
        empty = self.scratch / "home"
        empty.mkdir()
        self.start(IN_CLUSTER, environment={"HOME": str(empty)})
        error = self.fails()
        for word in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
            self.assertIn(word, error)
        self.assertIn(f"{empty}/.kube/config", self.fails(context("any")))

    def test_the_server_may_be_a_name(self):
        pod = in_pod(self.cluster, self.cluster.directory / "serviceaccount")
        pod["environment"]["KUBERNETES_SERVICE_HOST"] = "localhost"
        self.start(IN_CLUSTER, **pod)
        self.works()


class TestConnection(KubeconfigCase):
    def test_it_reports_and_never_fails(self):
        outputs = self.outputs("testConnection", context("viewer"))
        self.assertTrue(outputs["configurationValid"] and outputs["connectionValid"], outputs)
        self.assertEqual(outputs["userInfo"]["username"], "par-viewer")
        self.assertEqual(outputs["serverInfo"]["gitVersion"], "v1.36.3")
        self.assertFalse(outputs.get("errors"))
        for name, configuration, word in (("nowhere", False, "nowhere"), ("refused-token-unknown", True, "Unauthorized"),
                                          ("refused-ca-wrong", True, "certificate")):
            outputs = self.outputs("testConnection", context(name))
            self.assertEqual((outputs["configurationValid"], outputs["connectionValid"]), (configuration, False))
            self.assertIn(word, json.dumps(outputs["errors"]))


class Implied(KubernetesCase):
    def test_any_kubernetes_action_on_the_allowlist_allows_the_test_of_the_connection(self):
        self.start_with_kubeconfig(allow=["com.datadoghq.kubernetes.apps.getDeployment"])
        self.assertTrue(self.outputs("testConnection")["connectionValid"])
        self.assertIn("actionsAllowlist", self.error("getPod", namespace=self.namespace, name="x"))
