"""packaging/kubernetes with the official chart: values that its schema accepts, objects that a real API server accepts."""
import subprocess
import unittest

from chart import chart_file, merged, module, read_yaml, validate
from harness import ROOT, Backend, Runner
from kubernetes_cluster import KubernetesCase

SERVICES = ["kubernetes"]
FOLDER = ROOT / "packaging/kubernetes"


def values(name):
    return read_yaml((FOLDER / name).read_text())[0]


class Chart(KubernetesCase):
    def dry_run(self, objects, what):
        """The objects as the server would store them."""
        environment = {"KUBECONFIG": self.cluster.variables["PAR_K8S_SETUP_KUBECONFIG"], "HOME": str(self.cluster.directory)}
        done = subprocess.run([self.cluster.variables["PAR_K8S_KUBECTL"], "apply", "--dry-run=server", "--validate=strict", "-o", "json",
                               "-f", "-"], input=module("yaml").safe_dump_all(objects), capture_output=True, text=True, env=environment)
        self.assertEqual(done.returncode, 0, f"{what}: {done.stderr}")
        return read_yaml(done.stdout)[0].get("items")

    def test_the_server_takes_everything_that_the_chart_renders(self):
        manifests = sorted(chart_file("rendered").glob("*.yaml"))
        self.assertGreater(len(manifests), 5)
        for manifest in manifests:
            with self.subTest(manifest.name):
                objects = [item for item in read_yaml(manifest.read_text()) if item]
                self.assertEqual(len(self.dry_run(objects, manifest.name)), len(objects))

    def test_the_server_takes_what_the_production_values_put_into_the_pod(self):
        # The schema leaves these maps open, and the chart copies them as they are.
        runner = values("values-production.yaml")["runner"]
        objects = [item for item in read_yaml((chart_file("rendered") / "external-identity.yaml").read_text()) if item]
        deployment = next(item for item in objects if item["kind"] == "Deployment")
        deployment["spec"]["replicas"] = runner["replicas"]
        pod = deployment["spec"]["template"]["spec"]
        pod["affinity"] = runner["affinity"]
        pod["containers"][0] |= {key: runner[key] for key in ("livenessProbe", "readinessProbe", "resources")}
        budget = values("pod-disruption-budget.yaml")
        stored = self.dry_run([deployment, budget], "production values")
        container = stored[0]["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["resources"], runner["resources"])
        self.assertEqual(container["readinessProbe"]["httpGet"]["path"], "/readiness")
        # The budget and the anti-affinity are about the pods of the release "par", which README.md installs.
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(budget["spec"]["selector"]["matchLabels"].items(), labels.items())
        for term in runner["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]:
            self.assertLessEqual(term["podAffinityTerm"]["labelSelector"]["matchLabels"].items(), labels.items())


class Values(unittest.TestCase):
    def setUp(self):
        self.defaults = read_yaml((chart_file("private-action-runner") / "values.yaml").read_text())[0]

    def test_the_image_is_all_that_the_first_file_changes(self):
        image = values("values-image.yaml")
        self.assertEqual({key: set(value) for key, value in image.items()}, {"image": {"repository", "tag"}})
        validate(merged(self.defaults, image))

    def test_the_schema_accepts_the_production_values_and_would_not_accept_a_slip(self):
        production = values("values-production.yaml")
        together = merged(merged(self.defaults, values("values-image.yaml")), production)
        validate(together)
        with self.assertRaises(module("jsonschema").ValidationError):
            validate(merged(together, {"runner": {"replicaCount": 3}}))

    def test_a_runner_takes_the_production_configuration_without_a_complaint(self):
        production = values("values-production.yaml")["runner"]
        config = {key: value for key, value in production["config"].items() if value != ""} | {"port": 0}
        with Backend() as backend, Runner(backend, config={**config, "urn": None, "privateKey": None}, environment={
                "RUNNER_URN": backend.urn, "RUNNER_PRIVATE_KEY": backend.private_key}) as runner:
            runner.wait_polling()
            self.assertEqual([line for line in runner.text().splitlines() if '"level":"warn"' in line], [])
            known = set(runner.command("--list-actions").stdout.split())
        self.assertLessEqual(set(config["actionsAllowlist"]), known)
        for resource, verbs in production["kubernetesActions"].items():
            for verb in verbs:
                self.assertTrue(any(f".{verb}{resource[0].upper()}{resource[1:-1]}" in name for name in known), f"{verb} {resource}")
