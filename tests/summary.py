"""Counts the tests of CTest's JUnit files, says why tests were skipped, and ends with the line
`N passed, N failed, N skipped`. Exits 1 if a test failed or none ran."""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree


def main(paths):
    passed = failed = skipped = 0
    for path in paths:
        if not os.path.exists(path):
            print(f"failed: no results in {path}")
            failed += 1
            continue
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            output = case.findtext("system-out") or ""
            if case.get("status") == "run":
                passed += 1
            elif case.get("status") in ("notrun", "disabled"):
                skipped += 1
                reason = re.search(r"SKIPPED: (.*)", output)
                print(f"skipped: {case.get('name')}: {reason.group(1) if reason else 'no reason given'}")
            else:
                failed += 1
                print(f"failed: {case.get('name')}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
