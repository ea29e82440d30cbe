# SPDX-License-Identifier: Apache-2.0
"""Compares the labels C1, C2, ... of the dialects: descriptions in .td, verifiers in .cpp,
tests/dialects/*/*_errors.mlir.

A label of a description that no test has, or the other way round, is an error. So is one that `hasVerifier = 1;  // C1
.. C3` claims and the verifier lacks. usage: labels.py ROOT
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
problems = []


def labels(text):
    """`C1, C3 .. C5` as a set of numbers."""
    found = set()
    for first, last in re.findall(r"\bC(\d+)(?: \.\. C(\d+))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def definitions(td):
    """(name for tests, C++ class, text) of each op, type and attribute of a file."""
    for text in re.split(r"^(?=def )", td.read_text(encoding="utf-8"), flags=re.M)[1:]:
        if op := re.match(r'def \w+_(\w+) : \w+_Op<"(\w+)"', text):
            yield op.group(2), op.group(1), text
        elif other := re.match(r'def \w+_(\w+) : \w+_(?:Type|Attr)<"(\w+)"', text):
            yield other.group(2), other.group(1), text


def tested(folder, name):
    """Labels in the comments of an op's errors test; those of types and attributes are `// Weight C1` in shared
    files."""
    own = folder / f"{name}_errors.mlir"
    if own.is_file():
        return labels(" ".join(re.findall(r"^ *// (C\d.*)$", own.read_text(encoding="utf-8"), flags=re.M)))
    shared = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*s_errors.mlir"))
    return labels(" ".join(re.findall(rf"^ *// {name} (C\d.*)$", shared, flags=re.M)))


def verifier(source, name):
    body = re.search(rf"^LogicalResult {name}::verify\(.*?^}}", source, flags=re.M | re.S)
    line = re.search(rf"^LogicalResult {name}::verify\(.*$", source, flags=re.M)
    return labels(" ".join(re.findall(r"// (C\d.*)$", (body or line).group(0), flags=re.M))) if line else set()


for dialect in ("llm", "plan"):
    folder = root / "dialects" / dialect
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.cpp")))
    for td in sorted(folder.glob("*.td")):
        for name, cpp, text in definitions(td):
            said = labels(" ".join(re.findall(r"^ *- (C\d+):", text, flags=re.M)))
            has = tested(root / "tests/dialects" / dialect, name)
            if said != has:
                problems.append(f"{dialect}.{name}: described {sorted(said)}, tested {sorted(has)}")
            claim = re.search(r"hasVerifier = 1;  // (.*)", text)
            if claim and not labels(claim.group(1)) <= verifier(source, cpp):
                problems.append(f"{dialect}.{name}: the verifier claims {claim.group(1)}, has {sorted(verifier(source, cpp))}")

print("\n".join(problems) or "all labels agree")
sys.exit(1 if problems else 0)
