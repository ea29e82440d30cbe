# SPDX-License-Identifier: Apache-2.0
"""The engine by which later versions are held to read what this one wrote: make_golden_engine.py BUILD

Writes Inputs/engines/<major>.<minor>.engine, the toy engine of these tests, and beside it what it says. It is made when
a version is new, and again while that version has not been released; never after."""
import pathlib
import subprocess
import sys

build = pathlib.Path(sys.argv[1]).resolve()
said = subprocess.run([build / "bin/llcuda-run", "--version"], check=True, capture_output=True, text=True).stdout
minor = ".".join(said.split()[1].split(".")[:2])
folder = pathlib.Path(__file__).parent / "Inputs/engines"
folder.mkdir(parents=True, exist_ok=True)
engine = folder / f"{minor}.engine"
subprocess.run([build / "bin/write-toy-engine", engine, "wide", "text"], check=True)
run = [build / "bin/llcuda-run", engine, "--device", "host", "-p", "abc", "-n", "24", "--temp", "0"]
text = subprocess.run(run, check=True, capture_output=True, text=True).stdout
engine.with_suffix(".txt").write_text(text, encoding="utf-8")
print(f"{engine}: {engine.stat().st_size} bytes, says {text.strip()!r}")
