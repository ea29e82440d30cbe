# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other threads do."""
import time


def until(holds, seconds=20):
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)


def settled(engine):
    """The scheduler's counts, once nothing runs."""
    until(lambda: running(engine) == 0)
    return engine._requests.stats()


def running(engine):
    """Requests that have not ended."""
    stats = engine._requests.stats()
    return stats.waiting + stats.prompts + stats.generating + stats.paused
