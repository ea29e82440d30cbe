# SPDX-License-Identifier: Apache-2.0
"""Checks a line of `llcuda-bench --mixed -o jsonl` on standard input."""
import json
import sys

line = json.load(sys.stdin)
phases = {(phase["kind"], phase["rows"], phase["tail"]): phase for phase in line["phases"]}
assert 0 < line["idle_percent"] < 100, line["idle_percent"]
assert sum(phase["runs"] for phase in phases.values()) == line["steps"] + line["prompt_runs"], line
for phase in phases.values():
    assert 0.2 < phase["expected_ns"] / phase["ns"] < 5, phase
    assert phase["predicted_t4_ns"] > 3000, phase
decode = sorted(rows for kind, rows, _ in phases if kind == "decode")
predicted = [phases["decode", rows, True]["predicted_t4_ns"] for rows in decode]
assert predicted == sorted(predicted), predicted
