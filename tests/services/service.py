"""Starts and ends one real server of the tests by its scripts, for the CTest fixtures of tests/services/CMakeLists.txt.

    service.py up NAME DIR      NAME/up.sh DIR; its exit code 77 and last line "SKIPPED: why" say that the server cannot be had here
    service.py down NAME DIR

A server that cannot be had leaves its reason in DIR.skipped, which tests/e2e/harness.py turns into skipped tests.
"""
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def variables(directory):
    """What a server that was started told in `directory`/env."""
    found = {}
    for line in pathlib.Path(directory, "env").read_text().splitlines():
        words = shlex.split(line.removeprefix("export "))
        if words and "=" in words[0]:
            found.update([words[0].split("=", 1)])
    return found


def main():
    action, name, directory = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    skipped = directory.with_name(directory.name + ".skipped")
    if action == "down":
        skipped.unlink(missing_ok=True)
        return subprocess.run([HERE / name / "down.sh", directory]).returncode if directory.exists() else 0
    skipped.unlink(missing_ok=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    if directory.exists():  # left by a run that was cut off
        subprocess.run([HERE / name / "down.sh", directory])
    # The server outlives this script, so it must not hold the pipe that CTest waits for: output goes through a file.
    log = directory.with_name(directory.name + ".up.log")
    with open(log, "w") as output:
        code = subprocess.run([HERE / name / "up.sh", directory], stdout=output, stderr=output,
                              stdin=subprocess.DEVNULL).returncode
    text = log.read_text(errors="replace")
    print(text[-8000:])
    if code == 77:
        reason = next((line for line in reversed(text.splitlines()) if line.startswith("SKIPPED: ")), None)
        if reason is None:
            print(f"{name}/up.sh ended with 77 but gave no line 'SKIPPED: why'")
            return 1
        skipped.write_text(reason.removeprefix("SKIPPED: ") + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
