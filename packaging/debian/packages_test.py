"""The Debian packages: what is in them, what they depend on, and that dpkg installs and removes them.

    packages_test.py CPACK BUILD_DIRECTORY

They are installed over a copy of this machine's file system (an overlay in a mount namespace of its own), so that dpkg checks
the dependencies against real packages, maintainer scripts run, and nothing of it stays.
"""
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CPACK, BUILD = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]

NAMESPACES = {f"par-plugin-{name}": [f"com.datadoghq.{name}"] for name in ("ansible", "http", "jenkins", "postgresql", "temporal")}
NAMESPACES["par-plugin-kubernetes"] = ["com.datadoghq.kubernetes.apps", "com.datadoghq.kubernetes.core"]

# Merged over / in a tmpfs: $1 is the directory of the packages, the rest the script that runs there.
OVERLAY = """
set -e
mount -t tmpfs par "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay par -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /proc "$1/root/proc"
mkdir -p "$1/root/run/par" "$1/root/dev"
mount --bind "$2" "$1/root/run/par"
mount --rbind /dev "$1/root/dev"
exec chroot "$1/root" /bin/sh -ec "$3"
"""


def output(*command, **variables):
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for tool in ("dpkg-deb", "dpkg-shlibdeps", "file"):
            if shutil.which(tool) is None:
                raise unittest.SkipTest(f"{tool} is not installed (apt-get install dpkg-dev file)")
        cls.directory = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="par-packages-")))
        cls.build(cls.directory)
        cls.files = {path.name.partition("_")[0]: path for path in cls.directory.glob("*.deb")}

    @staticmethod
    def build(directory):
        output(CPACK, "--config", str(BUILD / "CPackConfig.cmake"), "-B", str(directory),
               "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip", SOURCE_DATE_EPOCH="1700000000")  # gzip: half the time
        shutil.rmtree(directory / "_CPack_Packages")

    def field(self, package, name):
        return output("dpkg-deb", "--field", self.files[package], name).strip()

    def contents(self, package):
        """Path -> the mode and owner that tar shows."""
        lines = [line.split() for line in output("dpkg-deb", "--contents", self.files[package]).splitlines()]
        return {line[5].removeprefix("."): (line[0], line[1]) for line in lines if not line[5].endswith("/")}

    def in_overlay(self, script):
        """Output of a shell script as root in a copy of this machine; the packages are in /run/par."""
        space = ["unshare", "--mount"] + ([] if output("id", "-u").strip() == "0" else ["--map-root-user"])
        with tempfile.TemporaryDirectory(prefix="par-overlay-") as scratch:
            if subprocess.run([*space, "sh", "-ec", OVERLAY, "sh", scratch, self.directory, "true"],
                              capture_output=True).returncode != 0:
                self.skipTest("this machine does not let an overlay be mounted in a namespace")
            return output(*space, "sh", "-ec", OVERLAY, "sh", scratch, self.directory, script)

    def test_there_is_one_for_the_runner_one_for_each_integration_and_one_for_authors(self):
        self.assertEqual(set(self.files), {"par-runner", "par-plugin-dev", *NAMESPACES})
        for package in self.files:
            with self.subTest(package):
                for path, (mode, owner) in self.contents(package).items():
                    self.assertEqual(owner, "root/root", path)
                    self.assertNotEqual(mode[8], "w", path)
                    self.assertTrue(path.startswith(("/usr/", "/lib/systemd/")), path)

    def test_the_same_build_tree_and_date_give_the_same_bytes(self):
        again = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="par-packages-again-")))
        self.build(again)
        names = [path.name for path in self.files.values()]
        self.assertEqual(filecmp.cmpfiles(self.directory, again, names, shallow=False), (names, [], []))

    def test_all_that_the_build_tree_installs_is_in_exactly_one(self):
        prefix = self.directory / "prefix"
        output("cmake", "--install", str(BUILD), "--prefix", str(prefix))
        installed = {"/usr/" + str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
        shutil.rmtree(prefix)
        packaged = [path for package in self.files for path in self.contents(package)]
        self.assertEqual(len(packaged), len(set(packaged)))
        self.assertEqual(installed - set(packaged), set())
        self.assertEqual(set(packaged) - installed, {f"/usr/lib/{path}" for path in (
            "systemd/system/par-runner.service", "sysusers.d/par-runner.conf", "tmpfiles.d/par-runner.conf")})

    def test_a_plugins_package_has_its_library_and_says_what_that_needs(self):
        version = self.field("par-runner", "Version")
        for package, namespaces in NAMESPACES.items():
            with self.subTest(package):
                self.assertEqual(set(self.contents(package)), {f"/usr/lib/par-runner/plugins/{name}.so" for name in namespaces})
                self.assertIn(f"par-runner (= {version})", self.field(package, "Depends"))
        self.assertIn("libpq5", self.field("par-plugin-postgresql", "Depends"))
        self.assertIn("libgrpc++", self.field("par-plugin-temporal", "Depends"))
        for own in ("libssl3", "libsodium23"):
            self.assertIn(own, self.field("par-runner", "Depends"))
        for foreign in ("libpq5", "libgrpc", "libprotobuf32"):
            self.assertNotIn(foreign, self.field("par-runner", "Depends"))

    def test_apt_installs_them_and_the_runner_shows_the_chosen_actions(self):
        shown = self.in_overlay("""
            cd /run/par
            apt="apt-get -q -y --no-install-recommends"
            $apt install ./par-runner_*.deb ./par-plugin-http_*.deb ./par-plugin-kubernetes_*.deb ./par-plugin-dev_*.deb >&2
            echo "== installed"; dpkg-query --show --showformat '${Package} ${Status}\\n' 'par-*'
            ! command -v systemd-sysusers >/dev/null || {
              echo "== account"; getent passwd par-runner; stat -c '%U %a' /etc/dd-action-runner/config; }
            echo "== actions"; par-runner --list-actions
            echo "== check"; par-plugin check /usr/lib/par-runner/plugins/com.datadoghq.http.so >&2 && echo good
            touch /etc/dd-action-runner/config/config.yaml 2>/dev/null || true
            $apt remove par-plugin-kubernetes par-plugin-http >&2
            echo "== fewer"; par-runner --list-actions
            $apt purge par-runner 'par-plugin-*' >&2
            echo "== left"; ls -d /usr/lib/par-runner /usr/share/par-runner /usr/bin/par-* 2>/dev/null || true
            ls /etc/dd-action-runner/config""")
        sections = dict(part.split("\n", 1) for part in shown.split("== ")[1:])
        self.assertEqual(sections["installed"].count("install ok installed"), 4, shown)
        if "account" in sections:
            passwd, directory = sections["account"].splitlines()
            self.assertRegex(passwd, r"^par-runner:.*nologin$")
            self.assertEqual(directory, "par-runner 750")
        namespaces = {action.rpartition(".")[0] for action in sections["actions"].split()}
        self.assertEqual(namespaces, {"com.datadoghq.http", *NAMESPACES["par-plugin-kubernetes"]})
        self.assertEqual(sections["check"], "good\n")
        self.assertEqual(sections["fewer"].strip(), "")
        self.assertEqual(sections["left"].strip(), "config.yaml" if "account" in sections else "")

    def test_a_plugin_is_not_installed_without_its_runner(self):
        shown = self.in_overlay("cd /run/par; dpkg --install par-plugin-http_*.deb 2>&1 || true")
        self.assertIn("par-plugin-http depends on par-runner", shown)


class Unit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("systemd-analyze") is None:
            raise unittest.SkipTest("systemd-analyze is not installed (apt-get install systemd)")
        cls.unit = str(SOURCE / "packaging/systemd/par-runner.service")

    def test_systemd_knows_every_setting(self):
        done = subprocess.run(["systemd-analyze", "verify", self.unit], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line]  # it is not installed here
        self.assertEqual(complaints, [])

    def test_its_exposure_stays_low(self):
        output("systemd-analyze", "security", "--offline=true", "--threshold=20", self.unit)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    for _, reason in result.skipped:
        print(f"SKIPPED: {reason}")
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
