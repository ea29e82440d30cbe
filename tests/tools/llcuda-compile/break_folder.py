# SPDX-License-Identifier: Apache-2.0
"""Copies the folder of a sound model and breaks one thing in the copy.

    break_folder.py SOUND BROKEN FAULT
"""
import json
import pathlib
import shutil
import struct
import sys


class Weights:
    """model.safetensors of a folder: its header as it is, its data as bytes."""

    def __init__(self, folder):
        self.path = folder / "model.safetensors"
        content = self.path.read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        self.header, self.data = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])

    def ending(self, suffix):
        """The first tensor whose name ends so."""
        return next(entry for name, entry in self.header.items() if name.endswith(suffix))

    def write(self):
        text = json.dumps(self.header).encode()
        self.path.write_bytes(struct.pack("<Q", len(text)) + text + self.data)


def missing_shard(folder, weights):
    names = {name: "model-00002-of-00002.safetensors" for name in weights.header if name != "__metadata__"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    weights.path.unlink()


def overlap(folder, weights):
    first, second = [e for n, e in weights.header.items() if n != "__metadata__"][:2]
    length = second["data_offsets"][1] - second["data_offsets"][0]
    second["data_offsets"] = [first["data_offsets"][0], first["data_offsets"][0] + length]
    weights.write()


def shape_product(folder, weights):
    weights.ending("layernorm.weight")["shape"][0] += 1
    weights.write()


def nan_scale(folder, weights):
    begin = weights.ending(".absmax")["data_offsets"][0]
    weights.data[begin : begin + 4] = struct.pack("<f", float("nan"))
    weights.write()


def missing_tensor(folder, weights):
    weights.header = {name.replace("model.layers.0.self_attn.k_proj", "vision_tower.x"): entry
                      for name, entry in weights.header.items()}
    weights.write()


def turned_norm(folder, weights):
    weights.ending("layers.0.input_layernorm.weight")["shape"].append(1)
    weights.write()


def nan_norm(folder, weights):
    begin = weights.ending("layers.0.input_layernorm.weight")["data_offsets"][0]
    weights.data[begin + 12 : begin + 16] = struct.pack("<f", float("nan"))
    weights.write()


def truncated(folder, weights):
    del weights.data[-1:]
    weights.write()


def no_config(folder, weights):
    (folder / "config.json").unlink()


def broken_config(folder, weights):
    (folder / "config.json").write_text('{"architectures": [')


def main():
    sound, broken, fault = sys.argv[1:]
    folder = pathlib.Path(broken)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    faults = (missing_shard, overlap, shape_product, nan_scale, missing_tensor, turned_norm, nan_norm, truncated, no_config, broken_config)
    {f.__name__: f for f in faults}[fault](folder, Weights(folder))


main()
