"""The checker finds what is wrong with a library, all of it and nothing else.

checker_test.py complete PAR_PLUGIN ABI_MD VARIANT...   every rule has a check or a reason, every check a library
checker_test.py fuzzes PAR_PLUGIN SOUND FRAGILE         fuzzing finds the call that ends FRAGILE, and its seed does it again
checker_test.py breaks PAR_PLUGIN VARIANT LIBRARY       the library fails exactly the check that VARIANT names
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).parent

# A library that fails these has no usable manifest, or cannot be loaded, so that nothing can be said of the rest.
IMPLIED = {
    "manifest.section": {"manifest.valid"},
    "library.loads": set(),
}


def complete(program: str, specification: str, variants: list[str]) -> None:
    listed = json.loads(subprocess.run([program, "list", "--json"], check=True, capture_output=True).stdout)
    checked = {rule for check in listed["checks"] for rule in check["rules"]}
    unchecked = set(listed["unchecked"])
    rules = set(re.findall(r"^\| (PAR-[A-Z]\d+) \|", pathlib.Path(specification).read_text(), re.MULTILINE))
    assert len(rules) > 60, "the rules were not found"
    assert checked | unchecked == rules, f"without check or reason, or unknown: {rules ^ (checked | unchecked)}"
    assert not checked & unchecked, f"both: {checked & unchecked}"
    assert all(len(reason) > 10 for reason in listed["unchecked"].values())
    names = {check["check"] for check in listed["checks"]}
    assert names == set(variants) - {"none"}, f"checks without a library that breaks them: {names ^ set(variants)}"


def fuzzes(program: str, sound: str, fragile: str) -> None:
    samples = ["--samples", str(HERE / "samples.json")]

    def fuzz(library: str, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run([program, "fuzz", library, *samples, *options], capture_output=True, text=True)

    survived = fuzz(sound, "--seconds", "1")
    assert survived.returncode == 0 and "calls survived" in survived.stdout, survived
    found = fuzz(fragile, "--seconds", "60")
    assert found.returncode == 1, found
    seed = re.search(r"--seed (\d+)", found.stdout).group(1)
    for _ in range(2):
        again = fuzz(fragile, "--seed", seed)
        assert again.returncode == 1 and f"seed {seed}: " in again.stdout, again
    assert fuzz(sound, "--seed", seed).returncode == 0
    assert fuzz(sound, "--seed", "x").returncode == 2


def breaks(program: str, variant: str, library: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        junit = pathlib.Path(directory, "junit.xml")
        found = subprocess.run(
            [program, "check", library, "--samples", str(HERE / "samples.json"), "--json", "-", "--junit", str(junit)],
            capture_output=True, text=True)
        report = json.loads(found.stdout)
        suite = xml.parse(junit).getroot()
    bad = {check["check"] for check in report["checks"] if check["status"] not in ("passed", "skipped")}
    texts = "\n".join(f"{c['check']}: {c['status']} {c['text']}" for c in report["checks"] if c["text"])
    expected = set() if variant == "none" else {variant} | IMPLIED.get(variant, set())
    assert bad == expected, f"failed: {sorted(bad)}, expected {sorted(expected)}\n{texts}\n{found.stderr}"
    assert found.returncode == (1 if expected else 0)
    assert report["ok"] == (not expected)
    assert int(suite.get("failures")) == len(expected) and len(suite) == len(report["checks"])
    if variant == "none":
        skipped = [c["check"] for c in report["checks"] if c["status"] == "skipped"]
        assert not skipped, f"skipped: {skipped}"


if __name__ == "__main__":
    if sys.argv[1] == "complete":
        complete(sys.argv[2], sys.argv[3], sys.argv[4:])
    elif sys.argv[1] == "fuzzes":
        fuzzes(*sys.argv[2:])
    else:
        breaks(*sys.argv[2:])
