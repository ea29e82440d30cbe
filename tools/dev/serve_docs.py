#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/serving.md from the flags of a built llcuda-serve.

usage: serve_docs.py BUILD [--check]    --check writes nothing and fails where the page is not what it would write
"""
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/serving.md"
TABLES = re.compile(r"(<!-- flags: [^\n]*-->\n).*?(<!-- end -->)", re.S)


def main(build, *rest):
    tool = pathlib.Path(build) / "bin/llcuda-serve"
    flags = subprocess.run([tool, "--flags-as-markdown"], check=True, capture_output=True, text=True).stdout
    text = PAGE.read_text(encoding="utf-8")
    made, count = TABLES.subn(lambda match: f"{match[1]}{flags}{match[2]}", text)
    if count != 1:
        return f"{PAGE}: has {count} places for the flags, not one"
    if "--check" in rest:
        return 0 if made == text else f"{PAGE}: is not what tools/dev/serve_docs.py would write"
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
