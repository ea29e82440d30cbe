# SPDX-License-Identifier: Apache-2.0
"""offsets.py HEADER PACKAGE WORK: every struct that ctypes has lies as the C compiler lays it, and none is missing."""
import ctypes
import re
import subprocess
import sys
from pathlib import Path

header, package, work = map(Path, sys.argv[1:])
sys.path.insert(0, str(package))
from llcuda import _c  # noqa: E402

text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
bodies = dict(re.findall(r"typedef struct (\w+) \{([^}]*)\}", text))
lines = []
for name, body in bodies.items():
    fields = [re.search(r"(\w+)(\[\w+\])?$", field.strip())[1] for field in body.split(";")[:-1]]
    lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
    lines += [f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name}*)0)->{field}));'
              for field in fields]
for name, _ in re.findall(r"^\s*(LLCUDA_\w+)\s*=\s*([^,}]+)", text, flags=re.M):
    lines.append(f'printf("={name} %d\\n", {name});')
program = work / "offsets"
source = work / "offsets.c"
source.write_text(f'#include <stdio.h>\n#include "{header}"\nint main(void) {{\n' + "\n".join(lines) + "\n}\n")
subprocess.run(["cc", "-o", program, source], check=True)
printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()

faults = []
for line in printed:
    name, *numbers = line.split()
    if name.startswith("="):
        found = [getattr(_c, name[1:], None)]
    elif "." in name:
        struct, field = name.split(".")
        place = getattr(getattr(_c, struct), field, None)
        found = [place.offset, place.size] if place else None
    else:
        struct = getattr(_c, name, None)
        found = [ctypes.sizeof(struct)] if struct else None
    if found != [int(number) for number in numbers]:
        faults.append(f"{name}: {numbers} in C, {found} in Python")
assert len(bodies) > 15, bodies
print("\n".join(faults) or f"{len(bodies)} structs, {len(printed)} facts agree")
sys.exit(bool(faults))
