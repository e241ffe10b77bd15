"""The reference pages: the headers of the ABI as Markdown, one page for each.

reference.py INCLUDE_DIRECTORY PAGES           writes the pages into a directory
"""
import pathlib
import re
import sys

from declarations import HEADERS, read


def prose(doc):
    """A comment as Markdown: its own paragraphs and lists, nothing else taken for markup."""
    parts = re.split(r"(`[^`]*`)", doc)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<>\\])", r"\\\1", part) for part in parts)


def cell(doc):
    return prose(doc).replace("\n", " ").replace("|", r"\|")


def table(rows):
    return ["| | |", "|---|---|", *(f"| `{text}` | {cell(doc)} |" for text, doc in rows), ""]


def code(text):
    return ["```c", text + ";", "```", ""]


def struct(declaration):
    lines = [f"## {prose(declaration.name)}", ""]
    if declaration.doc:
        lines += [prose(declaration.doc), ""]
    members = [member for member in declaration.members if "(*" not in member.text]
    if members:
        lines += table((member.text, member.doc) for member in members)
    for member in declaration.members:
        if "(*" in member.text:
            lines += [f"### {prose(declaration.name)}: {prose(member.name)}", "", *code(member.text)]
            lines += [prose(member.doc), ""] if member.doc else []
    return lines


def page(header, path):
    about, declarations = read(path)
    title, _, about = about.partition("\n")
    lines = [f"# {prose(title.rstrip('.'))}", "", f"Made from the header by `abi/reference.py`; include it as `<par/{header}>`.", "",
             prose(about.strip()), ""]
    for kind, heading in (("define", "Macros"), ("enum", "Constants"), ("type", "Types"), ("function", "Functions"), ("struct", "")):
        chosen = [declaration for declaration in declarations if declaration.kind == kind]
        if chosen and heading:
            lines += [f"## {heading}", ""]
        if kind in ("define", "type"):
            lines += table((each.text.removeprefix("define "), each.doc) for each in chosen) if chosen else []
        for each in chosen:
            if kind == "enum":
                lines += ([prose(each.doc), ""] if each.doc else []) + table((value.text, value.doc) for value in each.members)
            elif kind == "function":
                lines += [*code(each.text), prose(each.doc), ""]
            elif kind == "struct":
                lines += struct(each)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    include, pages = map(pathlib.Path, sys.argv[1:])
    pages.mkdir(exist_ok=True)
    for header in HEADERS:
        (pages / header.replace(".h", ".md")).write_text(page(header, include / "par" / header))
