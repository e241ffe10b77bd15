"""The layout of the ABI's structs, and the values of its constants.

layout.py write COMPILER INCLUDE_DIRECTORY                         prints the table, to be kept beside a released header
layout.py test COMPILER STANDARD INCLUDE_DIRECTORY TABLE           fails unless the headers have at least what the table says

A later header may have more members at the end of a struct and more constants; `test --exact` allows neither. STANDARD is such as
c11 or c++20.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HEADERS = ("plugin.h", "http.h", "net.h", "process.h")


def declarations(include):
    """[(struct, [members])], [constants] as they stand in the headers."""
    structs, constants = [], []
    for header in HEADERS:
        text = pathlib.Path(include, "par", header).read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        for name, body in re.findall(r"struct (\w+) \{(.*?)\n\}", text, re.DOTALL):
            members = []
            for declaration in body.split(";"):
                pointer = re.search(r"\(\*(\w+)\)", declaration)
                plain = re.search(r"(\w+)\s*$", declaration)
                if pointer or plain:
                    members.append((pointer or plain).group(1))
            structs.append((name, members))
        for body in re.findall(r"\benum \{(.*?)\}", text, re.DOTALL):
            constants += re.findall(r"\b(PAR_\w+) *=", body)
        constants += re.findall(r"#define (PAR_\w+) +(?:0x)?[0-9A-Fa-f]+u?\n", text)
    # The one constant that a later header changes.
    return structs, [name for name in constants if name != "PAR_ABI_MINOR"]


def includes():
    return "".join(f"#include <par/{header}>\n" for header in HEADERS)


def compile_text(compiler, standard, include, text, *options):
    with tempfile.TemporaryDirectory() as place:
        language = "c++" if standard.startswith("c++") else "c"
        source = pathlib.Path(place, "layout." + ("cpp" if language == "c++" else "c"))
        source.write_text(text)
        words = [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Wpadded", "-Werror", "-I",
                 str(include), str(source), *(option.replace("@", place) for option in options)]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}\n{done.stderr}")
        if "-o" in options:
            return subprocess.run([f"{place}/layout.out"], check=True, capture_output=True, text=True).stdout
        return ""


def write(compiler, include):
    structs, constants = declarations(include)
    lines = []
    for name, members in structs:
        lines.append(f'printf("struct {name} %zu\\n", sizeof({name}));')
        lines += [f'printf("member {name} {m} %zu %zu\\n", offsetof({name}, {m}), sizeof((({name}*)0)->{m}));' for m in members]
    lines += [f'printf("constant {c} %llu\\n", (unsigned long long)({c}));' for c in constants]
    body = "\n".join("  " + line for line in lines)
    print(compile_text(compiler, "c11", include, f"#include <stdio.h>\n{includes()}int main(void) {{\n{body}\n}}\n",
                       "-o", "@/layout.out"), end="")


def test(compiler, standard, include, table, exact):
    lines = pathlib.Path(table).read_text().splitlines()
    check = "static_assert" if standard.startswith("c++") else "_Static_assert"
    text = includes()
    for line in lines:
        kind, *words = line.split()
        if kind == "struct":
            comparison = "==" if exact else ">="
            text += f'{check}(sizeof({words[0]}) {comparison} {words[1]}, "{line}");\n'
        elif kind == "member":
            name, member, offset, size = words
            text += f'{check}(offsetof({name}, {member}) == {offset}, "{line}");\n'
            text += f'{check}(sizeof((({name}*)0)->{member}) == {size}, "{line}");\n'
        else:
            text += f'{check}((unsigned long long)({words[0]}) == {words[1]}ull, "{line}");\n'
    compile_text(compiler, standard, include, text, "-fsyntax-only")
    structs, constants = declarations(include)
    there = {f"{name} {member}" for name, members in structs for member in members} | set(constants)
    listed = {" ".join(line.split()[1:3]) if line.startswith("member") else line.split()[1] for line in lines
              if not line.startswith("struct")}
    if missing := listed - there:
        sys.exit(f"the headers lost {sorted(missing)}")
    if exact and there != listed:
        sys.exit(f"the table does not list {sorted(there - listed)}")


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--exact"]
    if arguments[0] == "write":
        write(*arguments[1:])
    else:
        test(*arguments[1:], exact="--exact" in sys.argv)
