# SPDX-License-Identifier: Apache-2.0
"""Sends a program each signal that ends one while it writes, and looks at what is left.

    interrupt.py TEMPORARY COMMAND...

The command runs in the current folder with its temporary files under TMPDIR; once a file that TEMPORARY matches exists,
the signal comes. The program must end by it, say so, and leave nothing that was not there before.
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def files():
    folders = [pathlib.Path("."), pathlib.Path(os.environ["TMPDIR"])]
    return sorted(str(path) for folder in folders for path in folder.rglob("*"))


def heed_signals():
    """Runners of tests may ignore SIGINT, and what is ignored stays so."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def main():
    pattern, command = sys.argv[1], sys.argv[2:]
    before = files()
    for number in SIGNALS:
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_signals) as program:
            end = time.monotonic() + 60
            while not any(pathlib.Path(".").glob(pattern)):
                assert program.poll() is None and time.monotonic() < end, program.communicate()
                time.sleep(0.01)
            program.send_signal(number)
            said = program.communicate(timeout=60)[1]
        assert program.returncode == -number, (program.returncode, said)
        assert "interrupted; nothing was written" in said, said
        assert files() == before, (number, files(), before)
        print(number.name, "leaves nothing")


main()
