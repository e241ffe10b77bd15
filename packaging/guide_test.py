"""The guides of this folder name tests, files and headings that exist.

    guide_test.py CTEST BUILD_DIRECTORY
"""
import pathlib
import re
import subprocess
import sys
import unittest

CTEST, BUILD = sys.argv.pop(1), sys.argv.pop(1)
HERE = pathlib.Path(__file__).resolve().parent


def anchors(text):
    """The headings of a Markdown text as links call them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


class Guides(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        for guide in HERE.rglob("*.md"):
            for link in re.findall(r"\]\(([^)\s]+)\)", guide.read_text()):
                with self.subTest(f"{guide.relative_to(HERE)}: {link}"):
                    path, _, anchor = link.partition("#")
                    target = (guide.parent / path) if path else guide
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, anchors((target / "README.md" if target.is_dir() else target).read_text()))

    def test_every_test_that_the_operators_guide_names_exists(self):
        listed = subprocess.run([CTEST, "--test-dir", BUILD, "-N"], capture_output=True, text=True, check=True).stdout
        known = re.findall(r"^ +Test +#\d+: (.*)$", listed, re.MULTILINE)
        table = (HERE / "README.md").read_text().partition("| shown by |")[2]
        named = [name for row in table.splitlines()[1:] if row.startswith("|")
                 for name in re.findall(r"`([^`]+)`", row.rstrip("| ").rpartition(" | ")[2])]
        self.assertGreater(len(named), 20)
        for name in named:
            with self.subTest(name):
                self.assertTrue(any(test == name or test.startswith(name + ".") for test in known))


if __name__ == "__main__":
    unittest.main()
