# SPDX-License-Identifier: Apache-2.0
"""The engines of these tests, on the host."""
import os
from pathlib import Path

import llcuda

FOLDER = Path(os.environ["TOYS"])


def engine(name="toy", **how):
    return llcuda.Engine(FOLDER / f"{name}.engine", device="host", **how)


def settled(engine, seconds=10):
    """The scheduler's counts, once nothing runs."""
    import time
    end = time.monotonic() + seconds
    while True:
        stats = engine._requests.stats()
        if stats.waiting + stats.prompts + stats.generating + stats.paused == 0 or time.monotonic() > end:
            return stats
        time.sleep(0.01)
