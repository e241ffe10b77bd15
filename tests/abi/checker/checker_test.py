"""The checker finds what is wrong with a library, all of it and nothing else.

checker_test.py complete PAR_PLUGIN ABI_MD VARIANT...   every rule has a check or a reason, every check a library
checker_test.py fuzzes PAR_PLUGIN SOUND FRAGILE         fuzzing finds the call that ends FRAGILE, and its seed does it again
checker_test.py samples PAR_PLUGIN LIBRARY              samples must end as they say, and say what they mean
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


ASK = {"inputs": {"question": "how many"}}
TOKEN = {"name": "password", "value": "x"}

# A sample of the action `ask` -> a part of what action.samples says of it; none: it passes.
ENDINGS = [
    (ASK, None),
    (ASK | {"expect": {"status": "PAR_ERROR"}}, "ask[0]: expected PAR_ERROR, found PAR_OK"),
    (ASK | {"name": "a program", "answers": [{"exit_code": 1}]},
     "ask[0] (a program): use 1 of a service is a request, but answers[0] is a program's"),
]

# A file -> a part of why it is refused.
REFUSALS = [
    ({"acions": {}}, 'the file has no member "acions" (did you mean "actions"?)'),
    ({"actions": {"asks": []}}, 'the manifest has no action "asks" (did you mean "ask"?)'),
    ({"actions": {}, "settings": {"x": 1}}, "has settings, but this plugin takes none"),
]
for sample, reason in [
    ({}, "actions.ask[0]: inputs.question is missing"),
    (ASK | {"answer": []}, 'actions.ask[0] has no member "answer" (did you mean "answers"?)'),
    (ASK | {"answers": [{"bodi": ""}]}, 'actions.ask[0].answers[0] has no member "bodi" (did you mean "body"?)'),
    (ASK | {"answers": [{"status": "200"}]}, "actions.ask[0].answers[0].status must be a whole number"),
    (ASK | {"answers": [{"status": 1 << 40}]}, "actions.ask[0].answers[0].status must fit 32 bits"),
    (ASK | {"answers": [{"headers": {"a": 1}}]}, "actions.ask[0].answers[0].headers must be an object of texts"),
    (ASK | {"answers": [{"status": 200, "stderr": ""}]}, "is a server's (status, headers, body) and a program's"),
    (ASK | {"expect": {"status": "PAR_ERRR"}}, 'expect.status is "PAR_ERRR" (did you mean "PAR_ERROR"?)'),
    (ASK | {"expect": {"status": "PAR_OK", "message": "x"}}, "a call that succeeds has no error text"),
    (ASK | {"connection": {"id": "", "auth": "none"}}, "root_tokens"),
    (ASK | {"connection": {"id": "", "auth": "cookie", "root_tokens": []}}, "connection.auth"),
    (ASK | {"connection": {"id": "", "auth": "none", "root_tokens": [TOKEN], "base_ulr": ""}},
     'connection has no member "base_ulr" (did you mean "base_url"?)'),
    (ASK | {"connection": {"id": "", "auth": "none", "root_tokens": [TOKEN | {"secret": "x"}]}},
     'connection.root_tokens[0] has no member "secret"'),
    (ASK | {"connection": {"id": "", "auth": "none", "root_tokens": [{"name": "pasword", "value": "x"}]}},
     'connection.root_tokens has no "password", which the manifest requires (is "pasword" meant?)'),
]:
    REFUSALS.append(({"actions": {"ask": [sample]}}, reason))


def samples(program: str, library: str) -> None:
    def check(content: dict) -> tuple[subprocess.CompletedProcess, dict]:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory, "samples.json")
            file.write_text(json.dumps(content))
            found = subprocess.run(
                [program, "check", library, "--only", "action.samples", "--samples", str(file), "--json", "-"],
                capture_output=True, text=True)
        return found, json.loads(found.stdout)["checks"][0] if found.stdout else {}

    for sample, problem in ENDINGS:
        found, check_ = check({"actions": {"ask": [sample]}})
        assert check_.get("status") == ("failed" if problem else "passed"), found
        assert (problem or "") in (check_["text"] or ""), found
    found, check_ = check({"actions": {}})
    assert check_["status"] == "failed" and "ask: the file has no sample of this action" in check_["text"], found
    for wrong in ("db.example", "=127.0.0.1", "db.example=localhost"):
        found = subprocess.run([program, "check", library, "--net", wrong], capture_output=True, text=True)
        assert found.returncode == 2 and "--net takes NAME=ADDRESS with a numeric address" in found.stderr, found
    for content, reason in REFUSALS:
        found, _ = check(content)
        assert found.returncode == 2 and reason in found.stderr, (content, found)


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
    elif sys.argv[1] == "samples":
        samples(*sys.argv[2:])
    else:
        breaks(*sys.argv[2:])
