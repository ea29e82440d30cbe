# SPDX-License-Identifier: Apache-2.0
"""Measurements of a GPU that is as the model has it, but for KEY=VALUE...: write_machine.py FILE [KEY=VALUE...]

A key is a path, memory/bytes_per_second; a value is JSON, none takes the key away. A file with "results" in its name is
as t4_bench.py writes it."""
import json
import sys

MACHINE = {
    "llcuda_machine": 1,
    "device": {"name": "Tesla T4", "compute_capability": [7, 5], "multiprocessors": 40, "l2_bytes": 4194304, "driver": 12080},
    "timed": True,
    "warp_instructions_per_clock": {"imma": 1, "hmma": 0.5, "ffma": 2, "dp4a": 2, "alu": 2, "mufu": 0.5, "hfma2": 2,
                                    "shfl": 0.5, "ldsm": 0.125, "lds": 0.125, "ldg": 0.125},
    "l2_bytes_per_clock": 600,
    "memory": {"bytes_per_second": 264e9, "megahertz": 1590},
    "memory_after_work": {"bytes_per_second": 264e9, "megahertz": 1590},
    "latency_cycles": {"shared": 22, "l2": 300, "memory": 500, "imma": 14, "mufu": 15},
    "launch_microseconds": 0.906,
    "resident_blocks": {"by_default": 2, "when_asked": 2},
}

file, *changes = sys.argv[1:]
machine = json.loads(json.dumps(MACHINE))
for change in changes:
    path, _, value = change.partition("=")
    *folders, name = path.split("/")
    place = machine
    for folder in folders:
        place = place[folder]
    if value:
        place[name] = json.loads(value)
    else:
        del place[name]
with open(file, "w", encoding="utf-8") as out:
    json.dump({"machine": machine, "measurements": []} if "results" in file else machine, out)
