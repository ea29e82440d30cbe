# SPDX-License-Identifier: Apache-2.0
"""write_model.py MODEL.gguf [--experts N] [--tied] [--imatrix FOLDER]: a file with the tensors of a llama of eight
layers, random and in several float types, with rows of 512, 288 and 50 elements, and metadata of every type; with
--imatrix matrices for it, the same in both forms, heavy in each fourth column."""
import argparse
import pathlib
import struct

import gguf
import numpy as np

LAYERS, WIDTH, FEED_FORWARD, ODD = 8, 512, 288, 50
DATASET = "some text.txt"


def tensors(given):
    """Name, rows, columns, type."""
    yield "token_embd.weight", 96, WIDTH, np.float16
    if not given.tied:
        yield "output.weight", 96, WIDTH, np.float32
    for layer in range(LAYERS):
        for name, rows, columns in (("attn_q", 64, WIDTH), ("attn_k", 32, WIDTH), ("attn_v", 32, WIDTH),
                                    ("attn_output", 64, WIDTH), ("ffn_up", 32, WIDTH), ("ffn_down", 32, FEED_FORWARD)):
            yield f"blk.{layer}.{name}.weight", rows, columns, np.float16 if layer % 2 else np.float32
    yield "blk.0.attn_qkv.weight", 96, WIDTH, np.float32
    yield "blk.1.odd.weight", 16, ODD, np.float32
    yield "blk.0.ffn_gate_inp.weight", 8, WIDTH, np.float32
    yield "blk.0.ffn_gate_exps.bias", 8, WIDTH, np.float32
    yield "blk.0.attn_q_norm.weight", 4, WIDTH, np.float32


def write_model(given):
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(given.model, "llama")
    writer.add_block_count(LAYERS)
    writer.add_uint8("test.u8", 200)
    writer.add_int64("test.i64", -(1 << 40))
    writer.add_float64("test.f64", 0.1)
    writer.add_bool("test.bool", True)
    writer.add_array("test.floats", [0.5, 1.5])
    writer.add_array("test.strings", ["a", "", "ü"])
    writer.add_file_type(0)
    if given.experts:
        writer.add_expert_count(given.experts)
    for name, rows, columns, kind in tensors(given):
        writer.add_tensor(name, (0.02 * random.standard_normal((rows, columns))).astype(kind))
    writer.add_tensor("blk.0.ffn_down_exps.weight", (0.02 * random.standard_normal((3, 32, WIDTH))).astype(np.float32))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def sums_of(given):
    """Of each tensor the sums of each matrix's columns, and how often they were counted."""
    random = np.random.default_rng(8)
    shapes = {name: (1, columns) for name, _, columns, _ in tensors(given) if name.endswith(".weight")}
    for name, (matrices, columns) in {**shapes, "blk.0.ffn_down_exps.weight": (3, WIDTH)}.items():
        yield name, (random.random((matrices, columns)) + 100 * (np.arange(columns) % 4 == 0)).astype(np.float32) * 4, 4


def write_matrices(given, folder):
    folder.mkdir(exist_ok=True)
    writer = gguf.GGUFWriter(folder / "imatrix.gguf", "imatrix")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", [DATASET])
    writer.add_uint32("imatrix.chunk_count", 3)
    entries = list(sums_of(given))
    for name, sums, count in entries:
        writer.add_tensor(f"{name}.in_sum2", sums)
        writer.add_tensor(f"{name}.counts", np.full((len(sums), 1), count, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    plain = struct.pack("<i", len(entries))
    for name, sums, count in entries:
        plain += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", count, sums.size) + sums.tobytes()
    plain += struct.pack("<ii", 3, len(DATASET)) + DATASET.encode()
    (folder / "imatrix.dat").write_bytes(plain)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--experts", type=int, default=0)
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--imatrix", type=pathlib.Path)
    given = parser.parse_args()
    write_model(given)
    if given.imatrix:
        write_matrices(given, given.imatrix)


if __name__ == "__main__":
    main()
