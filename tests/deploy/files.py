# SPDX-License-Identifier: Apache-2.0
"""The files of deploy/: the unit of systemd is one, and its flags are those of llcuda-serve. """
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"


def flags(program):
    """What llcuda-serve is told by the unit is there."""
    known = set(re.findall(r"--?[a-z][a-z-]*", subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout))
    unit = (DEPLOY / "systemd/llcuda-serve.service").read_text(encoding="utf-8")
    told = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.M)[1])[1:]
    missing = [word for word in told if word.startswith("-") and word not in known]
    assert not missing and len(told) > 6, (missing, told)
    assert re.findall(r"^\[(\w+)\]$", unit, re.M) == ["Unit", "Service", "Install"]
    drain = int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)[1])
    assert drain > 30  # --drain-seconds
    if verifier := shutil.which("systemd-analyze"):
        done = subprocess.run([verifier, "verify", DEPLOY / "systemd/llcuda-serve.service"], capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if "llcuda-serve" in line and "not executable" not in line]
        assert not said, said


if __name__ == "__main__":
    flags(sys.argv[1])
    print("deploy ok")
