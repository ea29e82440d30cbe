# SPDX-License-Identifier: Apache-2.0
"""Puts the Python package together: stage.py PREFIX OUT [--link]

PREFIX is an installed tree or a build folder, with bin and lib. OUT/llcuda gets the modules of runtime/python, the
declarations made of llcuda.h, and the libraries and programs; with --link as links, for work on the package:
`PYTHONPATH=OUT python`.
"""
import argparse
import shutil
from pathlib import Path

import ctypes_header

ROOT = Path(__file__).resolve().parents[2]
# The name that programs ask for, and what it opens beside itself.
LIBRARIES = ("libllcuda.so.*.*", "libllcuda-hostsim.so")
PROGRAMS = ("llcuda-compile", "llcuda-run", "llcuda-serve", "llcuda-inspect", "llcuda-tokenize", "llcuda-eval",
            "llcuda-bench")


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
    for file in sorted((ROOT / "runtime/python/llcuda").iterdir()):
        if file.is_file():
            place(file, package / file.name, link)
    header = ROOT / "runtime/include/llcuda/llcuda.h"
    text = ctypes_header.module_text(ctypes_header.read_header(header), header.name)
    (package / "_c.py").write_text(text, encoding="utf-8")
    for pattern in LIBRARIES:
        found = sorted([*prefix.glob(f"lib/{pattern}"), *prefix.glob(f"lib*/{pattern}"),
                        *prefix.glob(f"lib/*/{pattern}")], key=lambda file: len(file.name))
        if not found:
            raise SystemExit(f"stage: {prefix}/lib has no {pattern}")
        place(found[0], package / "lib" / found[0].name, link)
    for name in PROGRAMS:
        if (prefix / "bin" / name).exists():
            place(prefix / "bin" / name, package / "bin" / name, link)
        elif not link:
            raise SystemExit(f"stage: {prefix / 'bin' / name}: is not there")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--link", action="store_true")
    given = parser.parse_args()
    stage(given.prefix, given.out, given.link)


if __name__ == "__main__":
    main()
