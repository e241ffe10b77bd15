"""Runs par-plugin check against a real server of the tests.

    check_plugin.py PAR_PLUGIN LIBRARY SAMPLES HOST DIR

DIR is where service.py has started the server. SAMPLES is a file of samples in which ${VARIABLE} stands for a variable of DIR/env, and
${X_PORT} also for the port of X_ADDRESS. HOST is the name under which the samples reach 127.0.0.1. Exit code 77: the server cannot be
had here.
"""
import pathlib
import string
import subprocess
import sys
import tempfile

from service import variables


def substitutes(directory: str) -> dict[str, str]:
    told = variables(directory)
    ports = {name.removesuffix("ADDRESS") + "PORT": value.rpartition(":")[2]
             for name, value in told.items() if name.endswith("_ADDRESS")}
    return ports | told


def main() -> int:
    program, library, samples, host, directory = sys.argv[1:]
    skipped = pathlib.Path(directory + ".skipped")
    if skipped.exists():
        print(f"SKIPPED: {skipped.read_text().strip()}")
        return 77
    text = string.Template(pathlib.Path(samples).read_text()).substitute(substitutes(directory))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        return subprocess.run([program, "check", library, "--samples", file.name, "--net", f"{host}=127.0.0.1"]).returncode


if __name__ == "__main__":
    sys.exit(main())
