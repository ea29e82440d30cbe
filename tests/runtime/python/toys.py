# SPDX-License-Identifier: Apache-2.0
"""The engines of these tests, on the host."""
import os
import time
from pathlib import Path

import llcuda

FOLDER = Path(os.environ["TOYS"])


def engine(name="toy", **how):
    return llcuda.Engine(FOLDER / f"{name}.engine", device="host", **how)


def until(holds, seconds=10):
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)


def settled(engine):
    """The scheduler's counts, once nothing runs."""
    def rests():
        stats = engine._requests.stats()
        return stats.waiting + stats.prompts + stats.generating + stats.paused == 0

    until(rests)
    return engine._requests.stats()
