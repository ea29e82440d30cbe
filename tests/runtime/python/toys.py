# SPDX-License-Identifier: Apache-2.0
"""The engines of these tests, on the host."""
import os
from pathlib import Path

import llcuda

FOLDER = Path(os.environ["TOYS"])


def engine(name="toy", **how):
    return llcuda.Engine(FOLDER / f"{name}.engine", device="host", **how)
