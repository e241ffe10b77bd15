"""The official Helm chart's data files, from PAR_TEST_FIXTURES: its schema for values and what it renders."""
import importlib
import json
import os
import pathlib
import unittest


def module(name):
    """A Python module that is not part of Python; skips the test without it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:  # of the module itself, or of one that it needs
        raise unittest.SkipTest(f"no Python module {error.name or name}") from None


def chart_file(name):
    """A file or directory of the fixture chart/; skips the test without it."""
    fixtures = os.environ.get("PAR_TEST_FIXTURES", "")
    path = pathlib.Path(fixtures, "chart", name)
    if not fixtures or not path.exists():
        raise unittest.SkipTest(f"PAR_TEST_FIXTURES does not name a directory with the chart's {name}")
    return path


def read_yaml(text):
    """All documents of the text."""
    return list(module("yaml").safe_load_all(text))


def merged(base, over):
    """What helm makes of two values files: maps are merged, all else is replaced."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}


def validate(values):
    """Against the chart's closed schema; what that refers to on the web stands for any object."""
    def stub(node):
        if isinstance(node, dict):
            return {"type": "object"} if str(node.get("$ref", "")).startswith("http") else {
                key: stub(child) for key, child in node.items()}
        return [stub(child) for child in node] if isinstance(node, list) else node

    schema = stub(json.loads(chart_file("private-action-runner/values.schema.json").read_text()))
    schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    module("jsonschema").Draft7Validator(schema).validate(values)
