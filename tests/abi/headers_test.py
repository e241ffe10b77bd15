"""What follows the plugin API's headers: the reference pages are current and complete, the Rust wrapper declares the same, and the
layout table notices changes.

headers_test.py Reference
headers_test.py Rust
headers_test.py Layout COMPILER
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

API = pathlib.Path(__file__).resolve().parents[2] / "plugin-api"
HEADERS = API / "include" / "par"


class Reference(unittest.TestCase):
    def test_the_pages_are_what_the_headers_say(self):
        with tempfile.TemporaryDirectory() as made:
            subprocess.run([sys.executable, "-B", API / "abi" / "reference.py", API / "include", made], check=True)
            for page in pathlib.Path(made).iterdir():
                kept = API / "spec" / "reference" / page.name
                self.assertEqual(kept.read_text(), page.read_text(),
                                 f"{kept} is not current: python3 plugin-api/abi/reference.py plugin-api/include plugin-api/spec/reference")

    # Reads the headers in another way than the pages are made, so that nothing gets lost in it.
    def test_every_name_and_every_comment_of_a_header_is_on_its_page(self):
        for header in HEADERS.glob("*.h"):
            text = header.read_text()
            page = re.sub(r"\\(.)", r"\1", (API / "spec" / "reference" / f"{header.stem}.md").read_text())
            comments = re.findall(r"/\*(.*?)\*/", text, re.DOTALL)
            names = set(re.findall(r"\bpar_\w+|\bPAR_\w+", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)))
            for name in names - {f"PAR_{header.stem.upper()}_H"}:
                self.assertRegex(page, rf"\b{name}\b", header.name)
            words = " ".join(re.findall(r"\w+", page))
            for comment in comments:
                if comment.strip() != f"PAR_{header.stem.upper()}_H":
                    # The first line of a header is its page's title.
                    self.assertIn(" ".join(re.findall(r"\w+", comment.partition(f"{header.name}:")[2] or comment)),
                                  words.replace(f"Made from the header by abi reference py include it as par {header.stem} h ", ""), header.name)


class Rust(unittest.TestCase):
    TYPES = {"u32": "uint32_t", "*mut c_void": "void*", "Str": "par_str"}

    def test_the_wrappers_declarations_are_the_headers(self):
        sys.path.insert(0, str(API / "abi"))
        from declarations import read
        wrapper = (API.parent / "examples/plugins/rust/par/src/abi.rs").read_text()
        declared = read(HEADERS / "plugin.h")[1]
        structs = {each.name: each.members for each in declared if each.kind == "struct"}
        values = dict(value.text.split(" = ") for each in declared if each.kind == "enum" for value in each.members)
        values |= dict(each.text.split()[1:] for each in declared if each.name == "PAR_MAGIC")
        found = re.findall(r"pub struct (\w+) \{\n(.*?)\n\}", wrapper, re.DOTALL)
        self.assertEqual({name for name, _ in found}, {"Str", "Call", "Request", "Host", "Plugin"})
        for name, body in found:
            members = structs[f"par_{name.lower()}"]
            fields = re.findall(r"^    pub (\w+): (.*?),?$", body, re.MULTILINE)
            self.assertEqual([field for field, _ in fields], [member.name for member in members], name)
            for (field, type_name), member in zip(fields, members):
                if "(*" in member.text:
                    self.assertIn("extern \"C\" fn", type_name, field)
                    # So many parameters, counted by the colons and commas of each language.
                    parameters = re.search(r"\(\*\)\((.*)\)$", member.type())[1]
                    self.assertEqual(0 if parameters == "void" else len(split(parameters)),
                                     len(split(re.search(r"fn\((.*)\)(?: ->.*)?>?$", type_name)[1])), f"{name}.{field}")
                elif type_name in self.TYPES:
                    self.assertEqual(self.TYPES[type_name], member.type(), f"{name}.{field}")
        for name, value in re.findall(r"pub const (\w+): \w+ = (\w+);", wrapper):
            self.assertEqual(int(value.replace("_", ""), 0), int(values[f"PAR_{name}"].rstrip("u"), 0), name)


def split(parameters):
    """The parameters of a function, of which some may be functions themselves."""
    while (flat := re.sub(r"\([^()]*\)", "", parameters)) != parameters:
        parameters = flat
    return [each for each in parameters.split(",") if each.strip()]


class Layout(unittest.TestCase):
    # (header, what stands there, what stands there instead)
    CHANGES = (
        ("plugin.h", "  par_str task_id;\n", "  par_str job_id;\n  par_str task_id;\n"),
        ("plugin.h", "  par_str task_id;\n  par_str action; ", "  par_str action;\n  par_str task_id; "),
        ("plugin.h", "par_status (*wait)(const par_call* call, int64_t ms)", "par_status (*wait)(const par_call* call, int32_t ms)"),
        ("plugin.h", "typedef int32_t par_status;", "typedef uint32_t par_status;"),
        ("plugin.h", "par_plugin_v1(void);", "par_plugin_v1(int);"),
        ("plugin.h", "PAR_DEADLINE = 4,", "PAR_DEADLINE = 40,"),
        ("plugin.h", '".par_manifest"', '".par_manifest2"'),
        ("http.h", '"par.http/1"', '"par.http/2"'),
        ("http.h", "  par_str proxy; ", "  par_bytes proxy; "),
        ("http.h", "UINT64_MAX", "UINT32_MAX"),
        ("net.h", "uint16_t port", "uint32_t port"),
        ("process.h", "  uint64_t dropped_stderr;\n", ""),
    )

    def changed(self, header, old, new):
        """Whether the check of today's headers fails, with its text."""
        with tempfile.TemporaryDirectory() as include:
            shutil.copytree(HEADERS, pathlib.Path(include, "par"))
            file = pathlib.Path(include, "par", header)
            self.assertIn(old, file.read_text())
            file.write_text(file.read_text().replace(old, new))
            return subprocess.run([sys.executable, "-B", API / "abi" / "layout.py", "test", COMPILER, "c11", include,
                                   API / "abi" / "v1.0-rc" / "layout.txt"], capture_output=True, text=True)

    def test_what_breaks_libraries_is_noticed(self):
        for change in self.CHANGES:
            with self.subTest(change):
                done = self.changed(*change)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, "static assertion failed|there is no|PAR_.* is|\".par_|par_plugin_v1")

    def test_what_a_minor_version_may_do_is_not(self):
        for change in (("plugin.h", "par_str display);\n};", "par_str display);\n  void (*more)(const par_call* call);\n};"),
                       ("plugin.h", "  PAR_SPAWN = 14 ", "  PAR_NEWER = 15,\n  PAR_SPAWN = 14 "),
                       ("plugin.h", "const par_call* call, int64_t ms)", "const par_call* inside, int64_t milliseconds)"),
                       ("plugin.h", "PAR_ABI_MINOR 0u", "PAR_ABI_MINOR 1u")):
            with self.subTest(change):
                done = self.changed(*change)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    COMPILER = sys.argv.pop(2) if len(sys.argv) > 2 else ""
    unittest.main()
