# SPDX-License-Identifier: Apache-2.0
"""The JSON of the toy engine: engine_fields.py FILE [CONTEXT SLOTS]"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    engine = json.load(file)

assert engine["kind"] == "engine" and engine["model"]["architecture"] == "toy"
assert engine["nodes_per_layer"] == 1 and engine["kv_type"] == "f16"
assert [(phase["kind"], phase["rows"]) for phase in engine["phases"]] == \
    [("decode", 1), ("decode", 2), ("prompt", 4), ("prompt", 8)]
first = engine["kernels"][0]
assert {key: first[key] for key in ("name", "op", "registers", "shared_bytes", "spill_bytes", "cubin_bytes")} == {
    "name": "toy_embed__f32__v97__t32", "op": "toy_embed", "registers": 47, "shared_bytes": 1536, "spill_bytes": 12,
    "cubin_bytes": 0}
assert len(engine["kernels"]) == 9 and all(kernel["host"] for kernel in engine["kernels"])
assert [segment["name"] for segment in engine["segments"]] == ["constants", "weights", "text", "images", "metadata"]
assert engine["segments"][1]["bytes"] == 97 * 4

if len(sys.argv) > 2:
    memory = engine["memory"]
    context, slots = int(sys.argv[2]), int(sys.argv[3])
    assert (memory["context"], memory["slots"]) == (context, slots)
    pages = (context + 3) // 4
    assert memory["groups"] == [{"window": 0, "slot_pages": pages, "pages": slots * pages},
                                {"window": 6, "slot_pages": min(pages, 4), "pages": slots * min(pages, 4)}], memory
    parts = ("weights", "constants", "arena", "kv", "io", "counters")
    assert memory["total"] == sum(memory[part] for part in parts)
    assert memory["weights"] == 97 * 4
else:
    assert "memory" not in engine
