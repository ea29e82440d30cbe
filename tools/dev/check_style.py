# SPDX-License-Identifier: Apache-2.0
"""Refuses files without an SPDX line, files that clang-format would change, comments and documents of more than 120
columns, and documents whose last line has no end.

usage: check_style.py [ROOT]
"""
import pathlib
import subprocess
import sys

import comment_width

CODE = {".h", ".cpp", ".hpp", ".cuh", ".c"}
LICENSED = CODE | {".py", ".td", ".fbs", ".cmake", ".rs", ".inc"}


def tracked(root):
    names = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True).stdout
    return [root / name for name in names.splitlines() if (root / name).is_file()]


def too_long(root, file):
    """Lines of comments and text that are too long. Generated pages and inputs of tests are not written by hand."""
    name = file.relative_to(root).as_posix()
    written = file.suffix or file.parent == root / "tools/dev"
    inputs = file.suffix == ".txt" and file.name != "CMakeLists.txt" or "Inputs/" in name and file.suffix != ".py"
    if not written or inputs or name.startswith("docs/generated/"):
        return []
    return comment_width.long_lines(file, file.read_text(encoding="utf-8"))


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
        if file.suffix == ".md" and not file.read_bytes().endswith(b"\n"):
            found.append(f"{file.relative_to(root)}: the last line has no end")
        found += [f"{file.relative_to(root)}:{line + 1}: more than {comment_width.WIDTH} columns; comment_width.py wraps them"
                  for line in too_long(root, file)]
    formatted = subprocess.run(["clang-format", "--dry-run", "--Werror", *code], capture_output=True, text=True, cwd=root)
    found += sorted({line.split(":")[0] + ": clang-format would change it" for line in formatted.stderr.splitlines() if "[-Wclang-format" in line})
    print("\n".join(found) or f"{len(code)} files are in style")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
