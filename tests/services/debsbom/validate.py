"""Checks two bills of materials with the validators of their formats, and prints the packages that both name, one "name version" a line.

    python validate.py FILE.spdx.json FILE.cdx.json      exit code 1 and what is wrong with them
"""
import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def main():
    spdx, cdx = sys.argv[1:]
    document = parse_file(spdx)
    problems = [f"{spdx}: {found.validation_message}" for found in validate_full_spdx_document(document)]
    text = pathlib.Path(cdx).read_text()
    content = json.loads(text)
    wrong = JsonStrictValidator(SchemaVersion.from_version(content["specVersion"])).validate_str(text)
    if wrong is not None:
        problems.append(f"{cdx}: {wrong}")
    # Both documents also name the source packages, and SPDX the image.
    in_spdx = {(package.name, package.version) for package in document.packages}
    in_cdx = {(component["name"], component["version"]) for component in content["components"]
              if "arch=source" not in component.get("purl", "")}
    if in_cdx - in_spdx:
        problems.append(f"{cdx} names what {spdx} does not: {sorted(in_cdx - in_spdx)}")
    print("\n".join(problems or (f"{name} {version}" for name, version in sorted(in_cdx))))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
