# SPDX-License-Identifier: Apache-2.0
"""The programs of the package under their own names."""
from __future__ import annotations

import os
import sys
from typing import NoReturn

from ._library import program


def run(name: str, arguments: list[str]) -> NoReturn:
    """Becomes the program: its signals, its exit code."""
    file = program(name)
    try:
        os.execv(file, [file, *arguments])
    except OSError as error:
        sys.exit(f"{name}: {file}: cannot be started: {error.strerror}")


def main() -> NoReturn:
    run(os.path.basename(sys.argv[0]), sys.argv[1:])
