"""Writes samples for the checker: write_samples.py MANIFEST SAMPLES

One for each action of the bundle: a server that does as it is told. For the first kind also the refusals that a real server
gives, so that a row in the table of kinds is all that a new kind needs here as well.
"""

import json
import re
import sys

CONNECTION = {"id": "cluster", "auth": "token", "root_tokens": [{"name": "context", "value": ""}]}
EXAMPLES = {"object": {}, "array": [], "string": "x", "integer": 1, "boolean": True}
JSON_TYPE = {"Content-Type": "application/json"}


def verb_of(action: str) -> str:
    return re.match("deleteMultiple|[a-z]+", action)[0]


def inputs_of(schema: dict) -> dict:
    examples = {"namespace": "shop", "name": "front", "body": {"metadata": {"name": "front", "labels": {"app": "shop"}}}}
    inputs = {name: examples[name] for name in schema.get("required", [])}
    if schema.get("properties", {}).get("body", {}).get("type") == "array":
        inputs["body"] = [{"op": "add", "path": "/metadata/labels/app", "value": "shop"}]
    return inputs


def object_of(schema: dict) -> dict:
    """As the server holds it: every member that the output has, and some that it has not."""
    known = {name: EXAMPLES.get(kind.get("type"), "x") for name, kind in schema.get("properties", {}).items()}
    return known | {"kind": "Thing", "apiVersion": "v1", "metadata": {"name": "front", "managedFields": [{}]}}


def refusal(status: int, reason: str, text: str) -> dict:
    body = {"kind": "Status", "status": "Failure", "message": text, "reason": reason, "code": status}
    return {"status": status, "headers": JSON_TYPE, "body": body}


def samples_of(action: str, described: dict, refused: bool) -> list[dict]:
    sample = {"connection": CONNECTION, "inputs": inputs_of(described["input"])}
    if action == "testConnection":
        answer = {"gitVersion": "v1.32.0", "major": "1", "minor": "32"}
    elif verb_of(action) == "list":
        answer = {"kind": "List", "metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "front"}}]}
    else:
        answer = object_of(described["output"])
    samples = [sample | {"answers": [{"headers": JSON_TYPE, "body": answer}]}]
    if action == "testConnection":  # tells what it found, and fails never
        samples.append(sample | {"name": "a token that has ended", "answers": [refusal(401, "Unauthorized", "Unauthorized")]})
    elif refused:
        text = "things is forbidden: User \"somebody\" cannot do that"
        samples.append(sample | {"name": "a user who may not", "answers": [refusal(403, "Forbidden", text)],
                                 "expect": {"message": "cannot do that"}})
    return samples


manifest = json.load(open(sys.argv[1], encoding="utf-8"))
seen: set[str] = set()
actions = {}
for name, description in manifest["actions"].items():
    actions[name] = samples_of(name, description, verb_of(name) not in seen)
    seen.add(verb_of(name))
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump({"actions": actions}, file, indent=1)
