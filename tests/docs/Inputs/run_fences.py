# SPDX-License-Identifier: Apache-2.0
"""Runs what documents show: run_fences.py ROOT BUILD WORK FILE...

Every fence says what it holds:

    sh         commands, which are run, in a folder of small files (prepare_files.py), without a GPU
    sh gpu     commands that need one: the shell parses them, their programs are there and have the options
    sh long    commands that take long, or need NVRTC: the same
    cpp PATH   lines of a file of the project; of a notebook's cells, where PATH is one
    python     what runs in one Python, with those before it in the document, as the cells of a notebook
    text       neither

The commands of one fence run in one shell, each fence in the folder as the first fence of its document left it. The
wrappers of WORK/bin make the tools do without a GPU.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.M | re.S)
WRAPPERS = {
    # The plain command makes what later ones look at.
    "llcuda-compile": 'case "$*" in *--refit*) exec {tool} "$@" -j 2;; *" -"*" -"*) size=64;; *) size=4096;; esac\n'
    'exec {tool} "$@" --target host -c $size -j 2',
    "llcuda-run": 'exec {tool} "$@" --device host -n 4',
    "llcuda-eval": 'exec {tool} "$@" --device host',
}
# Compiled without NVRTC.
FOR_THE_HOST = """
import functools, llcuda, llcuda.llm
llcuda.compile = functools.partial(llcuda.compile, targets=("host",), jobs=2)
llcuda.llm.compile = lambda *model, targets, **how: llcuda.compile(*model, **{**how, "context": 4096})
"""


def source_of(file):
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


class Documents:
    def __init__(self, root, build, work):
        self.root, self.build, self.work = root, build, work
        self.faults = []
        self.counts = {"run": 0, "parsed": 0, "quoted": 0}
        self.cells = []
        self.help_texts = {}

    def prepare(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.start, self.bin = self.work / "start", self.work / "bin"
        for folder in (self.start, self.bin):
            folder.mkdir(parents=True)
        for name, text in WRAPPERS.items():
            wrapper = self.bin / name
            wrapper.write_text("#!/bin/sh\n" + text.format(tool=self.build / "bin" / name) + "\n", encoding="utf-8")
            wrapper.chmod(0o755)
        subprocess.run(
            [sys.executable, pathlib.Path(__file__).parent / "prepare_files.py", self.root, self.start], check=True
        )

    def fault(self, place, *parts):
        self.faults.append(f"{place}: " + " ".join(map(str, parts)))

    def document(self, file):
        text = (self.root / file).read_text(encoding="utf-8")
        start = self.start
        for match in FENCE.finditer(text):
            place = f"{file}:{text.count(chr(10), 0, match.start()) + 1}"
            kind, _, rest = match[1].partition(" ")
            if kind == "sh" and not rest:
                start = self.run(place, match[2], start)
            elif kind == "sh" and rest in ("gpu", "long"):
                self.parse(place, match[2])
            elif match[1] == "python":
                self.cells.append((place, match[2]))
            elif kind in ("cpp", "c", "mlir", "tablegen", "python") and rest:
                self.quote(place, match[2], rest)
            elif match[1] != "text":
                self.fault(
                    place, f"a fence of the kind '{match[1]}'; there are sh, sh gpu, sh long, python, cpp PATH, text"
                )
        self.run_cells(start)

    def run_cells(self, start):
        """Runs the document's Python with the package, for the host alone."""
        cells, self.cells = self.cells, []
        if not cells:
            return
        folder, site = self.work / cells[0][0].replace("/", "_").replace(":", "_") / "cells", self.work / "site"
        shutil.copytree(start, folder)
        stage = self.root / "tools/package/stage.py"
        subprocess.run([sys.executable, stage, self.build, site, "--link"], check=True)
        program = [f"exec(compile({text!r}, {place!r}, 'exec'))" for place, text in cells]
        done = subprocess.run(
            [sys.executable, "-c", "\n".join([FOR_THE_HOST, *program])], cwd=folder, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(site)}
        )
        self.counts["run"] += len(cells)
        if done.returncode != 0:
            self.fault(cells[0][0], "exit", done.returncode, done.stdout[-500:], done.stderr[-2000:])

    def run(self, place, commands, start):
        """Answers the folder that later fences start from."""
        folder = self.work / place.replace("/", "_").replace(":", "_")
        shutil.copytree(start, folder)
        script = f'PATH="{self.bin}:{self.build / "bin"}:$PATH"\nset -e\n{commands}'
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        self.counts["run"] += 1
        if done.returncode != 0:
            self.fault(place, "exit", done.returncode, done.stdout[-500:], done.stderr[-2000:])
        return folder if start == self.start else start

    def parse(self, place, commands):
        parsed = subprocess.run(["bash", "-n", "-c", commands], capture_output=True, text=True)
        if parsed.returncode != 0:
            self.fault(place, parsed.stderr)
        self.counts["parsed"] += 1
        for line in commands.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0].startswith("python"):
                words = words[1:]
            if words:
                self.check_command(place, words)

    def check_command(self, place, words):
        program = self.program(words[0])
        if not program:
            self.fault(place, words[0], "is not there")
            return
        if program.suffix != ".py" and not program.name.startswith("llcuda-"):
            return
        if program not in self.help_texts:
            start = [sys.executable] if program.suffix == ".py" else []
            self.help_texts[program] = subprocess.run(
                [*start, program, "--help"], capture_output=True, text=True
            ).stdout
        known = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", self.help_texts[program]))
        for word in words[1:]:
            option = word.partition("=")[0]
            if re.match(r"--?[A-Za-z]", option) and option not in known:
                self.fault(place, words[0], "has no option", option)

    def program(self, name):
        if "/" not in name:
            path = self.build / "bin" / name if name.startswith("llcuda-") else shutil.which(name)
        elif name.startswith("build/release/"):
            path = self.build / name.removeprefix("build/release/")
        else:
            path = self.root / name
        return pathlib.Path(path) if path and pathlib.Path(path).exists() else None

    def quote(self, place, snippet, path):
        def lines(text):
            return [line.strip() for line in text.splitlines() if line.strip()]
        self.counts["quoted"] += 1
        file = self.root / path
        if not file.is_file():
            self.fault(place, path, "is not there")
        elif "\n".join(lines(snippet)) not in "\n".join(lines(source_of(file))):
            self.fault(place, "is not what", path, "has")


def main():
    root, build, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    documents = Documents(root, build, work)
    documents.prepare()
    for file in sys.argv[4:]:
        documents.document(file)
    print("\n".join(documents.faults) or "fences: " + ", ".join(f"{n} {what}" for what, n in documents.counts.items()))
    return 1 if documents.faults else 0


if __name__ == "__main__":
    sys.exit(main())
