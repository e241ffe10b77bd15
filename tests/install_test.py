"""The tree that `cmake --install` makes, and that its programs work from there.

    install_test.py CMAKE BUILD_DIRECTORY
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

CMAKE, BUILD = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1)).resolve()

EXPECTED = (
    "bin/par-runner", "bin/par-local-backend", "bin/par-plugin", "lib/par-runner/par-supervisor",
    "lib/par-runner/plugins/com.datadoghq.http.so",
    "include/par/plugin.h", "include/par/http.h", "include/par/net.h", "include/par/process.h", "include/par/plugin.hpp",
    "share/par-runner/config.example.yaml", "share/par-runner/config.schema.json", "share/par-runner/credentials",
    "share/par-runner/plugin-api/spec/abi.md", "share/par-runner/plugin-api/spec/reference/plugin.md",
    "share/par-runner/plugin-api/examples/rust/par/src/lib.rs", "share/par-runner/plugin-api/examples/go/build.sh",
    "share/par-runner/plugin-api/abi/v1.0-rc/layout.txt", "share/par-runner/plugin-api/spec/manifest.schema.json",
)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="par-install-"))
        cls.prefix = pathlib.Path(cls.directory) / "prefix"
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)

    def run_program(self, *arguments):
        environment = {"PATH": os.environ["PATH"], "DD_PRIVATE_RUNNER_CONFIG_DIR": self.directory}
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        return subprocess.run([self.prefix / "bin" / "par-runner", *arguments], env=environment, capture_output=True,
                              text=True, timeout=60)

    def test_everything_is_in_its_place(self):
        for path in EXPECTED:
            with self.subTest(path):
                self.assertTrue((self.prefix / path).exists())
        package = [path.parent.relative_to(self.prefix) for path in self.prefix.rglob("ParPluginApiConfig.cmake")]
        self.assertEqual(package, [pathlib.Path("lib/cmake/ParPluginApi")])

    def test_links_between_the_kits_pages_lead_somewhere(self):
        for page in (self.prefix / "share/par-runner/plugin-api").rglob("*.md"):
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
                with self.subTest(page=page.name, link=link):
                    self.assertTrue((page.parent / link).exists())

    def test_all_plugins_are_installed_and_nothing_that_is_for_tests(self):
        installed = {path.name for path in (self.prefix / "lib/par-runner/plugins").iterdir()}
        self.assertEqual(installed, {path.name for path in (BUILD / "plugins").glob("*.so")})
        for path in (*self.prefix.glob("bin/*"), *self.prefix.glob("lib/par-runner/**/*")):
            self.assertNotRegex(path.name, "test|fuzz|bench|com.example", path)

    def test_the_runner_finds_its_plugins_where_it_is_installed(self):
        listed = self.run_program("--list-actions")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("com.datadoghq.http.request\n", listed.stdout)
        libraries = self.run_program("--list-actions", "--json")
        self.assertIn(str(self.prefix / "lib/par-runner/plugins/com.datadoghq.http.so"), libraries.stdout)


if __name__ == "__main__":
    unittest.main()
