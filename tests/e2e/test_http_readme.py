"""The page of com.datadoghq.http names what the plugin has: actions, inputs, settings, tokens and error texts."""
import json
import re
import unittest

from harness import ROOT

FOLDER = ROOT / "plugins" / "com.datadoghq.http"


def section(page, title):
    """The text of that heading up to the next one of its rank."""
    return re.split(r"^## ", page.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text):
    return set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))


class Page(unittest.TestCase):
    def setUp(self):
        self.page = (FOLDER / "README.md").read_text()
        self.manifest = json.loads((FOLDER / "manifest.json").read_text())

    def test_every_input_has_a_row_and_every_row_an_input(self):
        for name, action in self.manifest["actions"].items():
            with self.subTest(name):
                inputs = set(action["input"].get("properties", {}))
                if name == "request":
                    inputs.add("timeout")  # an input of every action
                self.assertEqual(first_cells(section(self.page, name).split("\n### ")[0]), inputs)

    def test_every_setting_has_a_row_with_its_default(self):
        settings = section(self.page, "Settings")
        properties = self.manifest["config_schema"]["properties"]
        self.assertEqual(first_cells(settings), set(properties))
        for name, schema in properties.items():
            self.assertIn(f"| `{name}` | {json.dumps(schema['default'])} |", settings)

    def test_every_declared_token_is_named(self):
        connections = section(self.page, "Connections")
        for token in self.manifest["connection"]["tokens"]:
            self.assertIn(f"`{token['name']}`", connections)

    def test_the_short_texts_are_those_of_the_plugin(self):
        shown = set(re.findall(r"^\| (The [^|]+?) \|", section(self.page, "Errors"), flags=re.MULTILINE))
        sources = "".join(path.read_text() for path in (FOLDER / "src").glob("*.cpp"))
        self.assertEqual(shown, set(re.findall(r'"(The (?:request|HTTP)[^"]+)"', sources)))
