# SPDX-License-Identifier: Apache-2.0
"""Kernels of a compiled engine: few spills or none, machine code and PTX of each, at most eight launches a layer."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    engine = json.load(file)
assert 1 <= engine["nodes_per_layer"] <= 8, engine["nodes_per_layer"]
assert engine["kernels"]
for kernel in engine["kernels"]:
    # Prompt linears may keep a few registers elsewhere while they loop; real_kernels_test looks into their loops.
    tensor_cores = kernel["op"] in ("linear_prompt", "glu_linear_prompt", "qkv_prompt")
    assert kernel["spill_bytes"] <= (48 if tensor_cores else 0), kernel
    assert kernel["cubin_bytes"] > 0 and kernel["ptx_bytes"] > 0, kernel
    assert 0 < kernel["registers"] <= 255 and kernel["registers"] * kernel["threads"] <= 65536, kernel
    assert kernel["shared_bytes"] <= 65536, kernel
assert len({kernel["name"] for kernel in engine["kernels"]}) == len(engine["kernels"])
