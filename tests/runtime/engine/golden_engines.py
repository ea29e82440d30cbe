# SPDX-License-Identifier: Apache-2.0
"""golden_engines.py FOLDER LLCUDA_RUN: engines of this minor version and the one before say what they said; others are
refused with the command that compiles again. Prints how many of each there were."""
import pathlib
import subprocess
import sys

folder, tool = pathlib.Path(sys.argv[1]), sys.argv[2]


def run(*arguments):
    return subprocess.run([tool, *arguments], capture_output=True, text=True)


major, minor = map(int, run("--version").stdout.split()[1].split(".")[:2])
ran, refused = [], []
for engine in sorted(folder.glob("*.engine")):
    theirs = tuple(map(int, engine.stem.split(".")))
    answer = run(engine, "--device", "host", "-p", "abc", "-n", "24", "--temp", "0")
    if theirs in ((major, minor), (major, minor - 1)):
        assert answer.returncode == 0, (engine, answer.stderr)
        assert answer.stdout == engine.with_suffix(".txt").read_text(encoding="utf-8"), (engine, answer.stdout)
        check = run(engine, "--device", "host", "--self-check")
        assert check.returncode == 0, (engine, check.stdout, check.stderr)
        ran.append(theirs)
    else:
        assert answer.returncode == 3, (engine, answer.returncode, answer.stderr)
        assert f"compile its model again: llcuda-compile MODEL -o {engine}" in answer.stderr, answer.stderr
        refused.append(theirs)
assert (major, minor) in ran, f"there is no engine of {major}.{minor}; make_golden_engine.py makes it"
print(f"engines: {len(ran)} run, {len(refused)} refused")
