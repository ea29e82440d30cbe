# SPDX-License-Identifier: Apache-2.0
"""What the scripts of this folder have in common."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def version():
    """The project's, which stands in CMakeLists.txt alone."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"^project\(llcuda VERSION ([0-9.]+)", text, flags=re.M)[1]
