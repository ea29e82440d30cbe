# SPDX-License-Identifier: Apache-2.0
"""write_safetensors.py FOLDER: two small safetensors files and their index."""
import json
import pathlib
import struct
import sys

folder = pathlib.Path(sys.argv[1])
folder.mkdir()


def write(name, entry, data):
    header = json.dumps({name: entry | {"data_offsets": [0, len(data)]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


(folder / "one.safetensors").write_bytes(write("a", {"dtype": "F16", "shape": [2, 3]}, bytes(range(12))))
(folder / "two.safetensors").write_bytes(write("b", {"dtype": "I64", "shape": []}, bytes(8)))
(folder / "model.safetensors.index.json").write_text(
    json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}))
