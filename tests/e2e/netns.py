"""Cases that run in a network namespace of their own, so that no packet can leave the machine."""
import functools
import os
import pathlib
import subprocess
import sys

METADATA = "169.254.169.254"
METADATA_SIX = "fd00:ec2::254"


def in_namespace(case):
    """Runs a case again inside a network namespace in which only the metadata addresses and loopback exist."""

    @functools.wraps(case)
    def run(self):
        if os.environ.get("PAR_TEST_IN_NAMESPACE") == "1":
            case(self)
            return
        if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
            self.skipTest("network namespaces cannot be made here")
        script = (f"ip link set lo up && ip address add {METADATA}/32 dev lo && "
                  f"{{ ip address add {METADATA_SIX}/128 dev lo nodad || true; }} && exec \"$@\"")
        inside = subprocess.run(["unshare", "--net", "sh", "-c", script, "sh", sys.executable,
                                 pathlib.Path(__file__).with_name("run_case.py"), self.id()],
                                env={**os.environ, "PAR_TEST_IN_NAMESPACE": "1"}, capture_output=True, text=True)
        if inside.returncode != 0:
            self.fail(inside.stdout + inside.stderr)

    return run
