"""Cases that run in a network namespace of their own, so that no packet can leave the machine."""
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

METADATA = "169.254.169.254"
METADATA_SIX = "fd00:ec2::254"


def in_namespace(case=None, *, hosts=()):
    """Runs a case again inside a network namespace in which only the metadata addresses and loopback exist. `hosts` are the
    lines of its /etc/hosts, besides localhost: @in_namespace(hosts=["127.0.0.1 a.test"])."""
    if case is None:
        return functools.partial(in_namespace, hosts=hosts)

    @functools.wraps(case)
    def run(self):
        if os.environ.get("PAR_TEST_IN_NAMESPACE") == "1":
            case(self)
            return
        if subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode != 0:
            self.skipTest("network and mount namespaces cannot be made here")
        script = (f"ip link set lo up && ip address add {METADATA}/32 dev lo && "
                  f"{{ ip address add {METADATA_SIX}/128 dev lo nodad || true; }} && exec \"$@\"")
        again = [sys.executable, pathlib.Path(__file__).with_name("run_case.py"), self.id()]
        with tempfile.TemporaryDirectory(prefix="par-namespace-") as directory:
            inside = subprocess.run(["unshare", "--net", "sh", "-c", script, "sh", *with_hosts(hosts, directory, again)],
                                    env={**os.environ, "PAR_TEST_IN_NAMESPACE": "1"}, capture_output=True, text=True)
        if inside.returncode != 0:
            self.fail(inside.stdout + inside.stderr)

    return run


def with_hosts(hosts, directory, command):
    """`command` as one that sees these lines as its /etc/hosts, besides localhost; they are kept in a file of `directory`."""
    path = pathlib.Path(directory) / "hosts"
    path.write_text("\n".join(["127.0.0.1 localhost", "::1 localhost", *hosts, ""]))
    return ["unshare", "--mount", "sh", "-c", "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"", "sh", path, *command]
