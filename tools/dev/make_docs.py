#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/generated/ from the .td files: the ops and types of each dialect, and the passes in pipeline order; and
the tables that docs/*.md have of codegen/formats/*.inc, each between a line `<!-- table NAME ... -->` and a line `<!--
end -->`.

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


def rows_of(table, macro):
    """The arguments of each line `macro(...)` of a table in codegen/formats, texts without their quotes."""
    text = (ROOT / "codegen/formats" / table).read_text(encoding="utf-8")
    for row in re.findall(rf"^{macro}\((.*?)\)$", text, re.M | re.S):
        yield [argument.strip().strip('"') for argument in re.findall(r'\s*("[^"]*"|[^,"]+)', row) if argument.strip()]


def facts_of(arguments):
    """The arguments of the form `.name = value`."""
    return dict(argument.lstrip(".").split(" = ") for argument in arguments if argument.startswith("."))


def table(head, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def device_layouts():
    """Every layout of weights, the encodings that it is for, and what it costs."""
    encodings = list(rows_of("encodings.inc", "LLCUDA_ENCODING"))
    rows = []
    for enumerator, name, planes, weight, *facts in rows_of("encodings.inc", "LLCUDA_WEIGHT_LAYOUT"):
        sources = [encoding for encoding in encodings if encoding[6] == enumerator]
        facts = facts_of(facts)
        sizes = [int(facts[plane]) for plane in ("codes", "high", "scales", "supers")]
        bits = 8 * sum(sizes) / int(facts["columns"])
        stored = sorted({8 * int(source[4]) / int(source[3]) for source in sources})
        cost = f"{bits:g}" if stored == [bits] else f"{bits:g} (file: {' to '.join(f'{b:g}' for b in dict.fromkeys((stored[0], stored[-1])))})"
        rows.append([" ".join(source[2] for source in sources), f"`{name}`", planes, ", ".join(map(str, sizes)),
                     facts["columns"], cost, "itself" if weight == "itself" else f"`{weight}`"])
    return table(["encoding", "layout", "planes", "bytes of codes, high bits, scales, supers", "of", "bits a weight", "weight"], rows)


def cache_types():
    """Every type of keys and values, and the bytes of 32 elements."""
    rows = []
    for enumerator, *facts in rows_of("kv_types.inc", "LLCUDA_KV_TYPE"):
        facts = facts_of(facts)
        blocks = int(facts["fifthBits"] == "true") * 4 + int(facts["scaleBytes"])
        written = "the launch that makes them" if facts["block"] == "1" else "a block of it that makes whole blocks of 32"
        rows.append([enumerator.removeprefix("k").lower(), str(4 * int(facts["vectorBytes"]) + blocks), written])
    return table(["type", "bytes of 32 elements", "written by"], rows)


TABLES = {"device layouts": device_layouts, "cache types": cache_types}


def with_tables(text):
    """A page with each of its tables as it is now."""
    def block(match):
        return f"{match.group(1)}\n{TABLES[match.group(2)]()}\n{match.group(3)}"

    return re.sub(r"(<!-- table ([a-z ]+):[^>]*-->)\n.*?\n(<!-- end -->)", block, text, flags=re.S)


def documents():
    """Every page that this file writes, and its text."""
    for name, text in pages():
        yield ROOT / "docs/generated" / name, NOTICE + "\n" + text + "\n"
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if "<!-- table " in text:
            yield page, with_tables(text)


def main(check):
    stale = []
    (ROOT / "docs/generated").mkdir(exist_ok=True)
    for page, text in documents():
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            continue
        stale.append(page.relative_to(ROOT))
        if not check:
            page.write_text(text, encoding="utf-8")
    print("\n".join(f"{name}: {'not what make_docs.py writes' if check else 'written'}" for name in stale) or "pages are up to date")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
