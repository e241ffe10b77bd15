"""What the headers of the ABI declare, with the comments, read from their text.

They keep to a form that makes this easy: a declaration ends at its `;`, a member or enumerator too or at its `,`, and a comment
stands before what it describes, or behind it on the same line.
"""
import pathlib
import re
from dataclasses import dataclass, field

HEADERS = ("plugin.h", "http.h", "net.h", "process.h")

PIECE = re.compile(r"/\*(?P<comment>.*?)\*/|^(?P<directive>#[^\n]*)|(?P<code>.)", re.DOTALL | re.MULTILINE)


@dataclass
class Declaration:
    """`kind` is define, enum, struct, type, function, or for what is inside of one member or enumerator. `text` is the code on one
    line, without a body; `doc` is the comment with its line breaks."""
    kind: str
    name: str
    text: str
    doc: str = ""
    members: list["Declaration"] = field(default_factory=list)

    def type(self):
        """The C type that a member, a typedef or a function has."""
        text = self.text.removeprefix("typedef ").removeprefix("PAR_EXPORT ")
        if self.kind == "function":
            return text.replace(f" {self.name}(", " (*)(", 1)
        return re.sub(rf"\b{self.name}\b", "", text, count=1).strip()


def plain(comment):
    """A comment without stars, indentation, and empty lines around it."""
    return "\n".join(re.sub(r"^\s*\*?\s*", "", line).rstrip() for line in comment.split("\n")).strip()


def pieces(text, separator):
    """[code, comment] of everything in `text` that a separator outside of brackets ends, and of every directive. A comment that
    belongs to no code has an empty one."""
    found, code, doc, depth = [], "", "", 0
    for piece in PIECE.finditer(text):
        if piece["directive"]:
            found.append([piece["directive"].strip(), doc])
            doc = ""
        elif piece["code"]:
            depth += (piece["code"] in "{(") - (piece["code"] in "})")
            if depth == 0 and piece["code"] == separator:
                found.append([code.strip(), doc])
                code = doc = ""
            else:
                code += piece["code"]
        elif depth > 0:
            code += piece[0]
        elif not text[text.rfind("\n", 0, piece.start()) + 1:piece.start()].strip():
            if doc:  # of the whole header, or of nothing
                found.append(["", doc])
            doc = plain(piece["comment"])
        elif code.strip():  # the last enumerator has no comma
            doc = plain(piece["comment"])
        else:
            found[-1][1] = plain(piece["comment"])
    if code.strip():
        found.append([code.strip(), doc])
    return found


def one_line(code):
    return re.sub(r"\s+", " ", code)


def member(code, doc):
    name = re.search(r"\(\*(\w+)\)", code) or re.search(r"(\w+)$", code)
    return Declaration("member", name[1], one_line(code), doc)


def declaration(code, doc):
    """None for what declares nothing."""
    if define := re.match(r"#\s*define (PAR_\w+)(\(.*?\))? +\S", code):
        return Declaration("define", define[1], one_line(code.removeprefix("#").strip()), doc)
    if body := re.match(r"enum \{(.*)\}$", code, re.DOTALL):
        values = [Declaration("enumerator", re.match(r"\w+", text)[0], one_line(text), comment)
                  for text, comment in pieces(body[1], ",")]
        return Declaration("enum", "", "enum", doc, values)
    if body := re.match(r"(?:typedef )?struct (\w+) \{(.*)\}(?: \w+)?$", code, re.DOTALL):
        members = [member(text, comment) for text, comment in pieces(body[2], ";")]
        return Declaration("struct", body[1], f"struct {body[1]}", doc, members)
    if pointer := re.match(r"typedef .*\(\*(\w+)\)", code, re.DOTALL):
        return Declaration("type", pointer[1], one_line(code), doc)
    if alias := re.match(r"typedef .*?(\w+)$", code, re.DOTALL):
        return Declaration("type", alias[1], one_line(code), doc)
    if function := re.match(r"PAR_EXPORT .*?(\w+)\(", code, re.DOTALL):
        return Declaration("function", function[1], one_line(code), doc)
    return None


def read(header):
    """(the header's own comment, its declarations in order). A forward declaration of a struct whose body follows is left out."""
    found = pieces(pathlib.Path(header).read_text().replace('extern "C" {\n', "").replace("\n}\n#endif", "\n#endif"), ";")
    about, found = found[0][1], [declaration(*piece) for piece in found[1:] if piece[0]]
    bodies = {each.name for each in found if each and each.kind == "struct"}
    return about, [each for each in found if each and (each.kind == "struct" or each.name not in bodies)]
