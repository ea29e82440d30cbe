#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the site: the documents, a page for each program made of its --help, a page for each module of the Python
package made of its docstrings; by Zensical, as mkdocs.yml says. Fails where Zensical warns, where a page is in no menu
or a menu names no page, and where a link leads nowhere.

usage: make_site.py BIN [OUT]    BIN has the programs; OUT (build/site) gets pages/ and html/
"""
import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/package"), str(ROOT / "tools/dev")]

import api_pages  # noqa: E402
import command_pages  # noqa: E402

FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)
TOP = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
LIST = re.compile(r"(- |\d+\. )")


def page_of(document):
    """Where a document of the repository stands on the site; None where it does not."""
    name = document.removeprefix("docs/")
    if document in TOP:
        return TOP[document]
    return name if document.startswith("docs/") and (ROOT / document).is_file() else None


def linked(text, page):
    """Names of documents in backticks become links."""
    up = "../" * page.count("/")

    def link(match):
        target = page_of(match[1])
        return f"[{match[0]}]({up}{target})" if target and target != page else match[0]

    return re.sub(r"(?<!\[)`((?:docs/[\w/]+|README|CONTRIBUTING|SECURITY)\.md)`", link, text)


def spaced(text):
    """With an empty line in front of each list, which Python-Markdown asks for and GitHub does not."""
    lines = []
    for line in text.split("\n"):
        before = lines[-1] if lines else ""
        if LIST.match(line) and before and not LIST.match(before) and not before.startswith("  "):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def for_the_site(text, page):
    pieces = FENCE.split(text)
    for i, piece in enumerate(pieces):
        if i % 2:
            kind, rest = piece[3:].split("\n", 1)
            pieces[i] = f"```{kind.split(' ')[0]}\n{rest}"
        else:
            pieces[i] = spaced(linked(piece, page))
    return "".join(pieces)


def pages(binaries):
    """Every page and its text."""
    documents = [*TOP, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]
    for document in documents:
        page = page_of(document)
        yield page, for_the_site((ROOT / document).read_text(encoding="utf-8"), page)
    for command in command_pages.commands(binaries):
        yield f"cli/{command.name}.md", command_pages.markdown_page(command)
    for module in api_pages.MODULES:
        yield f"python/{module}.md", api_pages.page(module)


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.targets, self.anchors = [], set()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.targets.append(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def dead_links(folder):
    parsed = {}
    for file in folder.rglob("*.html"):
        parsed[file.resolve()] = links = Links()
        links.feed(file.read_text(encoding="utf-8"))
    for file, links in sorted(parsed.items()):
        if file.name == "404.html":  # its links start at the site's root
            continue
        for target in links.targets:
            url = urllib.parse.urlsplit(target)
            if url.scheme or url.netloc:
                continue
            path = (file.parent / urllib.parse.unquote(url.path)).resolve() if url.path else file
            path = path / "index.html" if path.is_dir() else path
            if not path.is_file():
                yield f"{file.relative_to(folder.resolve())}: {target} is not there"
            elif url.fragment and path in parsed and urllib.parse.unquote(url.fragment) not in parsed[path].anchors:
                yield f"{file.relative_to(folder.resolve())}: {target}: the page has no such place"


def menu_faults(config, made):
    listed = set(re.findall(r"^ +- (?:\w+: )?([\w./-]+\.md)$", config, flags=re.M))
    yield from (f"mkdocs.yml: {page} is in no menu" for page in sorted(made - listed))
    yield from (f"mkdocs.yml: {page} is not there" for page in sorted(listed - made))


def build(binaries, out):
    shutil.rmtree(out, ignore_errors=True)
    made = set()
    for page, text in pages(binaries):
        made.add(page)
        (out / "pages" / page).parent.mkdir(parents=True, exist_ok=True)
        (out / "pages" / page).write_text(text, encoding="utf-8")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    faults = list(menu_faults(config, made))
    # Zensical takes places below its file alone.
    (out / "mkdocs.yml").write_text(config.replace("build/site/", ""), encoding="utf-8")
    tool = pathlib.Path(sys.executable).parent / "zensical"
    done = subprocess.run([tool, "build", "--strict", "--clean", "-f", out / "mkdocs.yml"], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode != 0 or re.search(r"warning|error", said, re.I):
        faults.append(f"zensical: exit {done.returncode}: {said.strip()}")
    return made, faults + list(dead_links(out / "html"))


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    made, faults = build(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else ROOT / "build/site"))
    print("\n".join(faults) or f"site: {len(made)} pages, no warning, no dead link")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
