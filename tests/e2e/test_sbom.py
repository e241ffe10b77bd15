"""packaging/container/sbom: the bills of materials of both images are valid in both formats and name what the image has."""
import os
import pathlib
import subprocess
import tempfile

from containers import ContainerCase
from harness import ROOT, service

SERVICES = ["container", "debsbom"]


class BillOfMaterials(ContainerCase):
    def packages(self, image):
        """Name -> version of the packages in the bill, after both documents were found valid."""
        tools = pathlib.Path(service("debsbom")["SBOM_BIN"])
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.output([ROOT / "packaging/container/sbom", self.images[image], directory / "runner"],
                    env=self.environment | {"PATH": f"{tools}:{os.environ['PATH']}"})
        found = self.output([tools / "python", ROOT / "tests/services/debsbom/validate.py", directory / "runner.spdx.json",
                             directory / "runner.cdx.json"])
        return dict(line.split(" ") for line in found.splitlines())

    def output(self, command, **options):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def test_the_default_image(self):
        query = self.once("PAR_IMAGE", "-W", "-f", "${Package} ${Version}\\n", options=("--entrypoint", "dpkg-query")).stdout
        self.assertEqual(self.packages("PAR_IMAGE"), dict(line.split() for line in query.splitlines()))

    def test_the_minimal_image_names_the_packages_of_its_files_and_no_others(self):
        packages = self.packages("PAR_IMAGE_MINIMAL")
        self.assertLessEqual({"par-runner", "par-plugin-http", "libc6", "libssl3", "libpq5", "ca-certificates"}, set(packages))
        self.assertEqual({"bash", "apt", "dpkg", "curl"} & set(packages), set())
