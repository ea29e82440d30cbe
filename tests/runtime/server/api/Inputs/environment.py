# SPDX-License-Identifier: Apache-2.0
"""A Python environment of its own for tests, made once and again when its list changes.

usage: environment.py FOLDER REQUIREMENTS    prints the path of its interpreter
"""
import pathlib
import subprocess
import sys
import venv


def environment(folder, requirements):
    """The path of the interpreter; its parent is kept, since a link would lead out of the environment."""
    wanted = requirements.read_text(encoding="utf-8")
    python, stamp = folder / "bin/python", folder / "requirements.txt"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python


if __name__ == "__main__":
    print(environment(*(pathlib.Path(text).absolute() for text in sys.argv[1:])))
