"""Runs the commands of plugin-api/TUTORIAL.md as they stand there, with the kit in a prefix of its own.

tutorial_test.py CMAKE BUILD_DIRECTORY
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

CMAKE, BUILD = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
PAGE = pathlib.Path(__file__).resolve().parents[2] / "plugin-api" / "TUTORIAL.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)

with tempfile.TemporaryDirectory(prefix="par-tutorial-") as place:
    prefix = pathlib.Path(place) / "prefix"
    for part in ("plugin-api", "plugin-api/devkit/par-plugin"):
        subprocess.run([CMAKE, "--install", BUILD / part, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    (prefix / "bin" / "par-runner").symlink_to(BUILD / "bin" / "par-runner")
    started = time.monotonic()
    assert len(BLOCKS) >= 5
    script = "set -eux\n" + "".join(BLOCKS).replace("/opt/par-runner", str(prefix))
    done = subprocess.run(["sh", "-c", script], cwd=place, capture_output=True, text=True,
                          env=os.environ | {"DD_PRIVATE_RUNNER_CONFIG_DIR": place})
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert '{"greeted":{"name": "Ada"}\n}' in done.stdout, done.stdout
    assert '"by":"tickets"' in done.stdout, done.stdout
    assert "calls survived" in done.stdout, done.stdout
    assert "does not allow org.example.tickets.greet" in done.stderr, done.stderr
    print(f"all commands took {time.monotonic() - started:.1f} s")
