#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/generated/ from the .td files: the ops and types of each dialect, and the passes in pipeline order.

usage: make_docs.py [--check]    --check writes nothing and fails where a page is not what it would write
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTICE = "<!-- Made by tools/dev/make_docs.py from the .td files: change those. -->\n"
LLVM = "/usr/lib/llvm-22"


def table_gen(td, *flags):
    tool = shutil.which("mlir-tblgen") or f"{LLVM}/bin/mlir-tblgen"
    command = [tool, td, *flags, "-I", f"{LLVM}/include", "-I", ROOT]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in text.splitlines() if not line.startswith(("<!--", "[TOC]"))).strip()


def with_example(text):
    """Puts the doctest in place of `(* example filepath=... *)`; a pass without one is an error."""
    def block(match):
        path = match.group(1)
        return f"`{path}`:\n\n```mlir\n{(ROOT / path).read_text(encoding='utf-8').strip()}\n```"

    text, count = re.subn(r"\(\* example filepath=(\S+) \*\)", block, text)
    if count != 1:
        raise SystemExit(f"{text.splitlines()[0]}: names {count} doctests, not one")
    return text


def passes():
    """The .td files of all passes, in the order of the pipeline."""
    pipeline = (ROOT / "compiler/pipeline/pipeline.cpp").read_text(encoding="utf-8")
    order = re.findall(r"\bcreate(\w+)\(", pipeline)
    found = {td.stem: td for td in sorted((ROOT / "compiler").glob("*/*/*.td"))}
    if unused := sorted(found.keys() - set(order)):
        raise SystemExit(f"passes that the pipeline never adds: {', '.join(unused)}")
    return [found[name] for name in order if name in found]


def pages():
    for dialect in ("llm", "plan"):
        td = ROOT / "dialects" / dialect / f"{dialect.capitalize()}Ops.td"
        yield f"{dialect}.md", table_gen(td, "-gen-dialect-doc", f"-dialect={dialect}")
    texts = [with_example(table_gen(td, "-gen-pass-doc")) for td in passes()]
    yield "passes.md", "# Passes, in the order of the pipeline\n\n" + "\n\n".join(texts)


def main(check):
    stale = []
    folder = ROOT / "docs/generated"
    folder.mkdir(exist_ok=True)
    for name, text in pages():
        text = NOTICE + "\n" + text + "\n"
        page = folder / name
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            continue
        stale.append(f"docs/generated/{name}")
        if not check:
            page.write_text(text, encoding="utf-8")
    print("\n".join(f"{name}: {'not what make_docs.py writes' if check else 'written'}" for name in stale) or "pages are up to date")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
