"""The layout of the ABI's structs, the types of their members and of its functions, and the values of its constants.

layout.py write COMPILER INCLUDE_DIRECTORY                         prints the table, to be kept beside a released header
layout.py test COMPILER STANDARD INCLUDE_DIRECTORY TABLE           fails unless the headers have at least what the table says

A later header may have more members at the end of a struct and more constants; `test --exact` allows neither. STANDARD is such as
c11 or c++20.
"""
import pathlib
import subprocess
import sys
import tempfile

from declarations import HEADERS, read

# Not the same on every compiler, in every version, or anything that has a value.
NO_CONSTANTS = {"PAR_EXPORT", "PAR_ABI_MINOR", "PAR_HAS"}


def all_declarations(include):
    return [declaration for header in HEADERS for declaration in read(pathlib.Path(include, "par", header))[1]]


def constants(include):
    """{name: value as it is written} of enumerators and macros."""
    found = {}
    for declaration in all_declarations(include):
        if declaration.kind == "enum":
            found |= {value.name: value.text.partition("=")[2].strip() for value in declaration.members}
        elif declaration.kind == "define" and declaration.name not in NO_CONSTANTS:
            found[declaration.name] = declaration.text.split(maxsplit=2)[2]
    return found


def names(include):
    """What a table says something about, by the beginning of the line that does."""
    found = {f"constant {name}" for name, value in constants(include).items() if not value.startswith('"')}
    found |= {f"text {name}" for name, value in constants(include).items() if value.startswith('"')}
    for declaration in all_declarations(include):
        if declaration.kind == "struct":
            found.add(f"struct {declaration.name}")
            found |= {f"member {declaration.name} {member.name}" for member in declaration.members}
        elif has_type(declaration):
            found.add(f"{declaration.kind} {declaration.name}")
    return found


def has_type(declaration):
    """Functions, and typedefs but those of structs that nobody else looks into."""
    return declaration.kind == "function" or declaration.kind == "type" and "struct" not in declaration.text


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
    lines = []
    for declaration in all_declarations(include):
        name = declaration.name
        if declaration.kind == "struct":
            lines.append(f'printf("struct {name} %zu\\n", sizeof({name}));')
            lines += [f'printf("member {name} {m.name} %zu %zu {m.type()}\\n", offsetof({name}, {m.name}), sizeof((({name}*)0)->{m.name}));'
                      for m in declaration.members]
        elif has_type(declaration):
            lines.append(f'puts("{declaration.kind} {name} {declaration.type()}");')
    lines += [f'printf("text {name} %s\\n", {value});' if value.startswith('"')
              else f'printf("constant {name} %llu\\n", (unsigned long long)({name}));' for name, value in constants(include).items()]
    body = "\n".join("  " + line for line in lines)
    print(compile_text(compiler, "c11", include, f"#include <stdio.h>\n{includes()}int main(void) {{\n{body}\n}}\n",
                       "-o", "@/layout.out"), end="")


def test(compiler, standard, include, table, exact):
    lines = pathlib.Path(table).read_text().splitlines()
    cpp = standard.startswith("c++")
    text = includes() + ("#include <type_traits>\n" if cpp else "")
    values = constants(include)
    differing = []

    def check(condition, line):
        nonlocal text
        text += f'{"static_assert" if cpp else "_Static_assert"}({condition}, "{line}");\n'

    def check_type(value, type_name, line):
        check(f"std::is_same<std::decay<decltype({value})>::type, {type_name}>::value" if cpp
              else f"_Generic({value}, {type_name}: 1, default: 0)", line)

    for line in lines:
        kind, name, *rest = line.split(" ")
        if kind == "struct":
            check(f"sizeof({name}) {'==' if exact else '>='} {rest[0]}", line)
        elif kind == "member":
            member, offset, size, *words = rest
            check(f"offsetof({name}, {member}) == {offset}", line)
            check(f"sizeof((({name}*)0)->{member}) == {size}", line)
            check_type(f"(({name}*)0)->{member}", " ".join(words), line)
        elif kind in ("type", "function"):
            check_type(f"({name})0" if kind == "type" else name, " ".join(rest), line)
        elif kind == "constant":
            check(f"(unsigned long long)({name}) == {rest[0]}ull", line)
        elif values.get(name) != f'"{rest[0]}"':
            differing.append(f"{name} is {values.get(name)}")
    compile_text(compiler, standard, include, text, "-fsyntax-only")
    listed = {" ".join(line.split(" ")[:3 if line.startswith("member ") else 2]) for line in lines}
    differing += [f"there is no {name}" for name in sorted(listed - names(include))]
    if exact:
        differing += [f"the table does not list {name}" for name in sorted(names(include) - listed)]
    if differing:
        sys.exit("\n".join(differing))


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--exact"]
    if arguments[0] == "write":
        write(*arguments[1:])
    else:
        test(*arguments[1:], exact="--exact" in sys.argv)
