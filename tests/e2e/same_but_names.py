# SPDX-License-Identifier: Apache-2.0
"""What the tools say of an engine and of its copy with kernels k0, k1, ...: the same, but for the names.

usage: same_but_names.py FOLDER RENAMED_FOLDER    each with an m.engine; what takes time is compared without the times
"""
import json
import pathlib
import re
import subprocess
import sys

TIMES = {"microseconds", "gb_per_second", "share_of_copy", "copy_gb_per_second", "test_time", "avg_ns", "stddev_ns", "avg_ts",
         "stddev_ts", "samples_ns", "samples_ts"}
HOST = ["--device", "host"]
PROFILE = "profile.json"
TEXTS = [
    ["llcuda-inspect", "m.engine"],
    ["llcuda-inspect", "m.engine", "--memory", "--slots", "2"],
    ["llcuda-inspect", "m.engine", "--fit", "1GiB"],
    ["llcuda-inspect", "m.engine", "--predict", "t4", "-c", "60"],
    ["llcuda-run", "m.engine", *HOST, "--self-check", "--prompt-tokens", "5,6,7", "-n", "4", "--temp", "0"],
    ["llcuda-eval", "m.engine", *HOST, "--compare", "../m.gguf", "--tolerance", "1"],
]
OBJECTS = [
    ["llcuda-inspect", "m.engine", "--json", "--memory", "--hash"],
    ["llcuda-inspect", "m.engine", "--json", "--predict", "t4"],
    ["llcuda-inspect", "m.engine", "--machine-code"],
    ["llcuda-run", "m.engine", *HOST, "--prompt-tokens", "5,6,7", "-n", "4", "--temp", "0", "--profile", PROFILE],
    ["llcuda-bench", "-m", "m.engine", *HOST, "-p", "8", "-n", "4", "-r", "1", "-o", "json"],
]


def output(folder, command):
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def result(folder, command):
    """What the command writes as JSON: to standard output, or to the file of a profile."""
    text = output(folder, command)
    return pathlib.Path(folder, PROFILE).read_text(encoding="utf-8") if PROFILE in command else text


def names(folder):
    return [kernel["name"] for kernel in json.loads(output(folder, ["llcuda-inspect", "m.engine", "--json"]))["kernels"]]


def numbered(text, order):
    """With k<i> for each name of a kernel; columns of a table may be wider in one engine than in the other."""
    for name in sorted(order, key=len, reverse=True):
        text = text.replace(name, f"k{order.index(name)}")
    return re.sub(r"[ -]{2,}", " ", text)


def without_times(value):
    if isinstance(value, dict):
        kept = {key: without_times(item) for key, item in value.items() if key not in TIMES}
        if kept.get("name") == "metadata":
            del kept["bytes"]  # the names are in it
        kept.pop("file_bytes", None)  # and in the file
        return kept
    if isinstance(value, list):
        return [without_times(item) for item in value]
    return value


def parsed(text, order):
    """Kernels of a profile stand in the order of their times."""
    value = json.loads(numbered(text, order))
    if isinstance(value, dict) and "copy_gb_per_second" in value:
        value["kernels"].sort(key=lambda kernel: (kernel["phase"], kernel["rows"], kernel["kernel"]))
    return without_times(value)


def main(plain, renamed):
    order, copies = names(plain), names(renamed)
    assert copies == [f"k{i}" for i in range(len(order))], copies
    assert not set(order) & set(copies)
    for command in TEXTS:
        one, other = numbered(output(plain, command), order), numbered(output(renamed, command), [])
        assert one == other, (command, one, other)
    for command in OBJECTS:
        one, other = parsed(result(plain, command), order), parsed(result(renamed, command), [])
        assert one == other, (command, one, other)
    print(f"{len(order)} kernels, {len(TEXTS) + len(OBJECTS)} outputs")


if __name__ == "__main__":
    main(*sys.argv[1:])
