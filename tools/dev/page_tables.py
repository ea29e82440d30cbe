#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/api.md and docs/serving.md from what a build's programs say of their fields and flags.

usage: page_tables.py BUILD PAGE [--check]

PAGE      api (fields of requests: runtime/server/api/field_table.cpp) or serving (flags of llcuda-serve)
--check   writes nothing and fails where the page is not what it would write
"""
import pathlib
import re
import subprocess
import sys

# page -> what its tables are of, as its markers say, and the command in BUILD/bin that prints them
PAGES = {"api": ("fields", ["api_fields", "tables"]), "serving": ("flags", ["llcuda-serve", "--flags-as-markdown"])}


def main(build, name, *rest):
    kind, (program, *arguments) = PAGES[name]
    page = pathlib.Path(__file__).resolve().parents[2] / f"docs/{name}.md"
    tables = subprocess.run([pathlib.Path(build) / "bin" / program, *arguments], check=True, capture_output=True, text=True).stdout
    text = page.read_text(encoding="utf-8")
    made, count = re.subn(rf"(<!-- {kind}: [^\n]*-->\n).*?(<!-- end -->)", lambda match: f"{match[1]}{tables}{match[2]}", text,
                          flags=re.S)
    if count != 1:
        return f"{page}: has {count} places for the {kind}, not one"
    if "--check" in rest:
        return 0 if made == text else f"{page}: is not what tools/dev/page_tables.py would write"
    page.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
