# SPDX-License-Identifier: Apache-2.0
"""Puts the Python package together: stage.py PREFIX OUT [--link]

PREFIX is an installed tree or a build folder, with bin and lib. OUT/llcuda gets the modules of runtime/python, the
declarations made of llcuda.h, the encodings of GGUF made of encodings.inc, the project's version, and the libraries and
programs; OUT/share their man pages and completion. With --link the package alone, as links, for work on it:
`PYTHONPATH=OUT python`.
"""
import argparse
import re
import shutil
from pathlib import Path

import command_pages
import ctypes_header
from project import ROOT, version

# The name that programs ask for, of the project's version, and what it opens beside itself; what programs of the static
# preset have in common.
LIBRARIES = ("libllcuda.so." + version().rpartition(".")[0], "libllcuda-hostsim.so")
SHARED = ("libllcuda-text.so",)
PROGRAMS = ("llcuda-compile", "llcuda-run", "llcuda-serve", "llcuda-inspect", "llcuda-tokenize", "llcuda-eval",
            "llcuda-bench", "llcuda-quantize", "llcuda-calibrate")


FIRST_FOREIGN = 1000  # encodings from here on are in no GGUF file


def encodings_text(table):
    rows = re.findall(r'^LLCUDA_ENCODING\(\w+, (\d+), ("\w+"), (\d+), (\d+),', table.read_text(encoding="utf-8"), flags=re.M)
    lines = [f"    {number}: ({name}, {elements}, {size})," for number, name, elements, size in rows
             if int(number) < FIRST_FOREIGN]
    if len(lines) < 2:
        raise SystemExit(f"stage: {table}: no encodings were read")
    return "\n".join(['# SPDX-License-Identifier: Apache-2.0', f'"""Made from {table.name} by tools/package/stage.py."""', "",
                      "# number: name, elements of a block, bytes of a block",
                      "ENCODINGS: dict[int, tuple[str, int, int]] = {", *lines, "}", ""])


def place(source, target, link):
    target.parent.mkdir(exist_ok=True)
    if link:
        target.symlink_to(source.absolute())
    else:
        shutil.copy(source, target)


def stage(prefix, out, link):
    package = out / "llcuda"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    modules = ROOT / "runtime/python/llcuda"
    for file in sorted(modules.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            place(file, package / file.relative_to(modules), link)
    header = ROOT / "runtime/include/llcuda/llcuda.h"
    text = ctypes_header.module_text(ctypes_header.read_header(header), header.name)
    (package / "_c.py").write_text(text, encoding="utf-8")
    encodings = encodings_text(ROOT / "codegen/formats/encodings.inc")
    (package / "_encodings.py").write_text(encodings, encoding="utf-8")
    (package / "_version.py").write_text(f'# SPDX-License-Identifier: Apache-2.0\n__version__ = "{version()}"\n',
                                         encoding="utf-8")
    for name in (*LIBRARIES, *SHARED):
        found = [*prefix.glob(f"lib*/{name}"), *prefix.glob(f"lib/*/{name}")]
        if not found and name in SHARED:
            continue
        if not found:
            raise SystemExit(f"stage: {prefix}/lib has no {name}, the library of llcuda {version()}")
        place(found[0], package / "lib" / name, link)
    for name in PROGRAMS:
        if (prefix / "bin" / name).exists():
            place(prefix / "bin" / name, package / "bin" / name, link)
        elif not link:
            raise SystemExit(f"stage: {prefix / 'bin' / name}: is not there")
    if not link:
        command_pages.write(out / "share", command_pages.commands(package / "bin"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--link", action="store_true")
    given = parser.parse_args()
    stage(given.prefix, given.out, given.link)


if __name__ == "__main__":
    main()
