# SPDX-License-Identifier: Apache-2.0
"""Says which glibc the programs and libraries of a package need, and refuses what would keep them from running
elsewhere.

usage: check_package.py FOLDER [--glibc 2.34]    2.34 is that of manylinux_2_34; Colab and Kaggle have 2.35 or later
"""
import argparse
import pathlib
import re
import subprocess
import sys

SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|librt|libgcc_s|ld-linux-x86-64)\.so\.\d+")
ELF = b"\x7fELF"


def headers(file):
    text = subprocess.run(["objdump", "-p", file], check=True, capture_output=True, text=True).stdout
    return text.replace("GLIBC_ABI_DT_RELR", "GLIBC_2.36")  # the glibc that brought packed relocations


def version(text):
    return tuple(int(part) for part in text.split("."))


def problems(file, text, own, limit):
    """What is wrong with one file."""
    for name in re.findall(r"NEEDED\s+(\S+)", text):
        if not SYSTEM.fullmatch(name) and name not in own:
            yield f"{file.name} needs {name}, which is not in the package: is this the static preset?"
    for path in re.findall(r"(?:RPATH|RUNPATH)\s+(\S+)", text):
        if not all(part.startswith("$ORIGIN") for part in path.split(":")):
            yield f"{file.name} looks for libraries in {path}, not beside itself"
    for needed in sorted(set(re.findall(r"GLIBC_([0-9.]+)", text)), key=version):
        if version(needed) > version(limit):
            yield f"{file.name} needs glibc {needed}, {limit} is the newest allowed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--glibc", default="2.34")
    arguments = parser.parse_args()
    files = [file for file in sorted(arguments.folder.rglob("*")) if file.is_file() and file.open("rb").read(4) == ELF]
    texts = {file: headers(file) for file in files}
    own = {path.name for path in arguments.folder.rglob("*.so*")}
    found = [problem for file, text in texts.items() for problem in problems(file, text, own, arguments.glibc)]
    for problem in found:
        print(f"check_package: {problem}", file=sys.stderr)
    needed = {name for text in texts.values() for name in re.findall(r"GLIBC_([0-9.]+)", text)}
    print(f"{len(files)} programs and libraries, which need glibc {max(needed, key=version, default='none')}")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
