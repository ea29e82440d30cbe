# SPDX-License-Identifier: Apache-2.0
"""bench_keys.py FILE: the rows of -p 8,4 -n 4 -d 0,6 -r 3, their keys, and figures that follow from the samples."""
import json
import statistics
import sys

rows = json.load(open(sys.argv[1], encoding="utf-8"))
tests = [(row["n_prompt"], row["n_gen"], row["n_depth"]) for row in rows]
assert tests == [(8, 0, 0), (4, 0, 0), (0, 4, 0), (8, 0, 6), (4, 0, 6), (0, 4, 6)], tests
for row in rows:
    assert row["model_filename"].endswith(".engine")
    assert len(row["samples_ns"]) == len(row["samples_ts"]) == 3
    assert abs(row["avg_ns"] - statistics.mean(row["samples_ns"])) <= 1
    assert abs(row["stddev_ns"] - statistics.stdev(row["samples_ns"])) <= 1
    for ns, ts in zip(row["samples_ns"], row["samples_ts"]):
        assert abs(ts - (row["n_prompt"] + row["n_gen"]) * 1e9 / ns) < 1e-6 * ts
    assert abs(row["avg_ts"] - statistics.mean(row["samples_ts"])) < 1e-6 * row["avg_ts"]
    assert abs(row["stddev_ts"] - statistics.stdev(row["samples_ts"])) < 1e-4 * row["avg_ts"]
