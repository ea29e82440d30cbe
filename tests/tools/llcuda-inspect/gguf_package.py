# SPDX-License-Identifier: Apache-2.0
"""The reader against the gguf package, key by key and tensor by tensor: gguf_package.py INSPECT MODEL"""
import json
import subprocess
import sys

import gguf
import numpy as np
import xxhash

TYPES = {gguf.GGUFValueType.UINT8: "u8", gguf.GGUFValueType.INT8: "i8", gguf.GGUFValueType.UINT16: "u16",
         gguf.GGUFValueType.INT16: "i16", gguf.GGUFValueType.UINT32: "u32", gguf.GGUFValueType.INT32: "i32",
         gguf.GGUFValueType.FLOAT32: "f32", gguf.GGUFValueType.BOOL: "bool", gguf.GGUFValueType.STRING: "string",
         gguf.GGUFValueType.ARRAY: "array", gguf.GGUFValueType.UINT64: "u64", gguf.GGUFValueType.INT64: "i64",
         gguf.GGUFValueType.FLOAT64: "f64"}


def main(inspect, model):
    run = subprocess.run([inspect, model, "--json", "--hash"], stdout=subprocess.PIPE, check=True)
    ours = json.loads(run.stdout)
    theirs = gguf.GGUFReader(model)

    fields = [field for name, field in theirs.fields.items() if not name.startswith("GGUF.")]
    assert [entry["key"] for entry in ours["metadata"]] == [field.name for field in fields]
    for entry, field in zip(ours["metadata"], fields):
        assert entry["type"] == TYPES[field.types[0]], (entry, field.types)
        if entry["type"] == "array":
            assert entry["element_type"] == TYPES[field.types[1]], (entry["key"], field.types)
            assert entry["count"] == len(entry["value"]) == len(field.data), entry["key"]
        expected = field.contents()
        equal = np.float32(entry["value"]) == np.float32(expected) if entry["type"] == "f32" else \
            entry["value"] == expected
        assert equal, f"{entry['key']}: {entry['value']!r} is {expected!r}"

    assert [tensor["name"] for tensor in ours["tensors"]] == [tensor.name for tensor in theirs.tensors]
    for tensor, expected in zip(ours["tensors"], theirs.tensors):
        assert tensor["type"] == expected.tensor_type.name.lower(), tensor
        assert tensor["dims"] == [int(dim) for dim in expected.shape], tensor
        assert tensor["bytes"] == expected.n_bytes, tensor
        data = np.ascontiguousarray(expected.data)
        assert tensor["xxh3"] == xxhash.xxh3_64_hexdigest(data.view(np.uint8)), f"{tensor['name']}: other bytes"
    print(f"{len(fields)} keys and {len(ours['tensors'])} tensors are equal")


main(*sys.argv[1:])
