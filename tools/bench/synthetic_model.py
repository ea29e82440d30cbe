#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a GGUF file with the shape of a real model and random weights: for speed only, its text means nothing.

usage: synthetic_model.py SHAPE TYPES OUT

SHAPE  llama-1b (Llama 3.2 1B), llama-3b (Llama 3.2 3B), llama-8b (Llama 3.1 8B), tiny (to try the tools)
TYPES  one encoding for every matrix (f16, q8_0, q4_0, q4_k, q6_k), or q4_k_m: the mixture that llama.cpp's quantiser makes
"""
import argparse
import struct

import numpy as np

# layers, embedding, heads, kv heads, head size, feed forward, vocabulary, tied head
SHAPES = {
    "llama-1b": (16, 2048, 32, 8, 64, 8192, 128256, True),
    "llama-3b": (28, 3072, 24, 8, 128, 8192, 128256, True),
    "llama-8b": (32, 4096, 32, 8, 128, 14336, 128256, False),
    "tiny": (2, 256, 4, 2, 64, 512, 512, True),
}
CONTEXT, ROPE_BASE, NORM_EPS = 131072, 5e5, 1e-5
# number in GGUF, elements and bytes of a block, {byte in the block: f16 scale that keeps activations in range}
ENCODINGS = {
    "f32": (0, 1, 4, {}),
    "f16": (1, 1, 2, {}),
    "q4_0": (2, 32, 18, {0: 4e-3}),
    "q8_0": (8, 32, 34, {0: 3e-4}),
    "q4_k": (12, 256, 144, {0: 1.2e-4, 2: 9e-4}),
    "q6_k": (14, 256, 210, {208: 1.5e-5}),
}
ALIGNMENT = 32
U32, F32, STRING = 4, 6, 8


def tensors(shape, types):
    """(name, dims, encoding) in the order of the file."""
    layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, tied = SHAPES[shape]
    base, fine = ("q4_k", "q6_k") if types == "q4_k_m" else (types, types)

    def is_fine(layer):  # where the mixture spends more bits on attn_v and ffn_down
        return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2

    yield "token_embd.weight", (embedding, vocabulary), fine if tied else base
    yield "output_norm.weight", (embedding,), "f32"
    if not tied:
        yield "output.weight", (embedding, vocabulary), fine
    for layer in range(layers):
        block, some = f"blk.{layer}.", fine if is_fine(layer) else base
        yield block + "attn_norm.weight", (embedding,), "f32"
        yield block + "attn_q.weight", (embedding, heads * head), base
        yield block + "attn_k.weight", (embedding, kv_heads * head), base
        yield block + "attn_v.weight", (embedding, kv_heads * head), some
        yield block + "attn_output.weight", (heads * head, embedding), base
        yield block + "ffn_norm.weight", (embedding,), "f32"
        yield block + "ffn_gate.weight", (embedding, feed_forward), base
        yield block + "ffn_up.weight", (embedding, feed_forward), base
        yield block + "ffn_down.weight", (feed_forward, embedding), some


def metadata(shape, types):
    layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, _ = SHAPES[shape]
    return [
        ("general.architecture", STRING, "llama"), ("general.name", STRING, f"{shape}-{types}"),
        ("llama.block_count", U32, layers), ("llama.context_length", U32, CONTEXT),
        ("llama.embedding_length", U32, embedding), ("llama.feed_forward_length", U32, feed_forward),
        ("llama.attention.head_count", U32, heads), ("llama.attention.head_count_kv", U32, kv_heads),
        ("llama.attention.key_length", U32, head), ("llama.attention.value_length", U32, head),
        ("llama.rope.dimension_count", U32, head), ("llama.rope.freq_base", F32, ROPE_BASE),
        ("llama.attention.layer_norm_rms_epsilon", F32, NORM_EPS), ("llama.vocab_size", U32, vocabulary),
        ("tokenizer.ggml.model", STRING, "no_vocab"),
    ]


def payload(encoding, elements, random, pool):
    _, block, size, scales = ENCODINGS[encoding]
    if encoding == "f32":
        return np.ones(elements, np.float32)
    if encoding == "f16":
        values = (random.standard_normal(1 << 20, np.float32) * 0.02).astype(np.float16)
        return np.resize(values, elements)
    start = int(random.integers(0, 1 << 20))
    blocks = np.resize(pool[start:], elements // block * size).reshape(-1, size)
    for at, value in scales.items():
        blocks[:, at:at + 2] = np.frombuffer(np.float16(value).tobytes(), np.uint8)
    return blocks


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def write(shape, types, path):
    random = np.random.default_rng(7)
    pool = random.integers(0, 256, 64 << 20, dtype=np.uint8)
    table, pairs = list(tensors(shape, types)), metadata(shape, types)
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(table), len(pairs)))
        for key, kind, value in pairs:
            encoded = text(value) if kind == STRING else struct.pack("<I" if kind == U32 else "<f", value)
            out.write(text(key) + struct.pack("<I", kind) + encoded)
        offset = 0
        for name, dims, encoding in table:
            number, block, size, _ = ENCODINGS[encoding]
            out.write(text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, offset))
            offset += -(-int(np.prod(dims)) // block * size // ALIGNMENT) * ALIGNMENT
        for _, dims, encoding in table:
            out.write(b"\0" * (-out.tell() % ALIGNMENT))
            payload(encoding, int(np.prod(dims)), random, pool).tofile(out)
        out.write(b"\0" * (-out.tell() % ALIGNMENT))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("types", choices=["q4_k_m", *[name for name in ENCODINGS if name != "f32"]])
    parser.add_argument("out")
    arguments = parser.parse_args()
    write(arguments.shape, arguments.types, arguments.out)
