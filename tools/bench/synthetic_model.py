#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a GGUF file with the shape of a real model and random weights: for speed only, its text means nothing.

usage: synthetic_model.py [--sparse] SHAPE TYPES OUT

SHAPE     llama-1b (Llama 3.2 1B), llama-3b (Llama 3.2 3B), llama-8b (Llama 3.1 8B), gemma3-4b (Gemma 3 4B, text),
          tiny and tiny-gemma3 (to try the tools)
TYPES     one encoding for every matrix (f16, q8_0, q4_0, q4_k, q6_k), or q4_k_m: the mixture that llama.cpp's quantiser
makes
--sparse  every weight is zero and takes no room on the disk: to compile, not to run
"""
import argparse
import dataclasses
import math
import struct


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of a model, and in `extra` what its architecture has besides: (key without the architecture, type,
    value)."""
    architecture: str
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    head: int
    feed_forward: int
    vocabulary: int
    tied: bool
    rope_base: float = 5e5
    norm_eps: float = 1e-5
    extra: tuple = ()


U32, F32, STRING = 4, 6, 8


def gemma3(layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, window):
    """Every sixth layer sees the whole context, the others a window; heads, attention and feed forward have norms of
    their own."""
    scaling = (("rope.scaling.type", STRING, "linear"), ("rope.scaling.factor", F32, 8.0))
    return Shape("gemma3", layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, tied=True, rope_base=1e6,
                 norm_eps=1e-6, extra=(("attention.sliding_window", U32, window), *scaling))


SHAPES = {
    "llama-1b": Shape("llama", 16, 2048, 32, 8, 64, 8192, 128256, True),
    "llama-3b": Shape("llama", 28, 3072, 24, 8, 128, 8192, 128256, True),
    "llama-8b": Shape("llama", 32, 4096, 32, 8, 128, 14336, 128256, False),
    "gemma3-4b": gemma3(34, 2560, 8, 4, 256, 10240, 262208, 1024),
    "tiny": Shape("llama", 2, 256, 4, 2, 64, 512, 512, True),
    "tiny-gemma3": gemma3(7, 256, 4, 2, 64, 512, 512, 64),
}
CONTEXT = 131072
# number in GGUF, elements and bytes of a block, {byte in the block: f16 scale that keeps activations in range}
ENCODINGS = {
    "f32": (0, 1, 4, {}),
    "f16": (1, 1, 2, {}),
    "q4_0": (2, 32, 18, {0: 4e-3}),
    "q8_0": (8, 32, 34, {0: 3e-4}),
    "q4_k": (12, 256, 144, {0: 1.2e-4, 2: 9e-4}),
    "q6_k": (14, 256, 210, {208: 1.5e-5}),
}
TYPES = ("q4_k_m", *(name for name in ENCODINGS if name != "f32"))
ALIGNMENT = 32


def tensors(shape, types):
    """(name, dims, encoding) in the order of the file."""
    base, fine = ("q4_k", "q6_k") if types == "q4_k_m" else (types, types)
    eighth = shape.layers // 8

    def is_fine(layer):  # where the mixture spends more bits on attn_v and ffn_down
        return layer < eighth or layer >= 7 * shape.layers // 8 or (layer - eighth) % 3 == 2

    def norm(name, size=shape.embedding):
        return f"{name}.weight", (size,), "f32"

    yield "token_embd.weight", (shape.embedding, shape.vocabulary), fine if shape.tied else base
    yield norm("output_norm")
    if not shape.tied:
        yield "output.weight", (shape.embedding, shape.vocabulary), fine
    for layer in range(shape.layers):
        block, some = f"blk.{layer}.", fine if is_fine(layer) else base
        yield norm(block + "attn_norm")
        yield block + "attn_q.weight", (shape.embedding, shape.heads * shape.head), base
        yield block + "attn_k.weight", (shape.embedding, shape.kv_heads * shape.head), base
        yield block + "attn_v.weight", (shape.embedding, shape.kv_heads * shape.head), some
        yield block + "attn_output.weight", (shape.heads * shape.head, shape.embedding), base
        if shape.architecture == "gemma3":
            yield norm(block + "attn_q_norm", shape.head)
            yield norm(block + "attn_k_norm", shape.head)
            yield norm(block + "post_attention_norm")
            yield norm(block + "post_ffw_norm")
        yield norm(block + "ffn_norm")
        yield block + "ffn_gate.weight", (shape.embedding, shape.feed_forward), base
        yield block + "ffn_up.weight", (shape.embedding, shape.feed_forward), base
        yield block + "ffn_down.weight", (shape.feed_forward, shape.embedding), some


def metadata(name, shape):
    own = [
        ("block_count", U32, shape.layers), ("context_length", U32, CONTEXT),
        ("embedding_length", U32, shape.embedding), ("feed_forward_length", U32, shape.feed_forward),
        ("attention.head_count", U32, shape.heads), ("attention.head_count_kv", U32, shape.kv_heads),
        ("attention.key_length", U32, shape.head), ("attention.value_length", U32, shape.head),
        ("rope.dimension_count", U32, shape.head), ("rope.freq_base", F32, shape.rope_base),
        ("attention.layer_norm_rms_epsilon", F32, shape.norm_eps), ("vocab_size", U32, shape.vocabulary), *shape.extra,
    ]
    return [("general.architecture", STRING, shape.architecture), ("general.name", STRING, name),
            *((f"{shape.architecture}.{key}", kind, value) for key, kind, value in own),
            ("tokenizer.ggml.model", STRING, "no_vocab")]


def bytes_of(dims, encoding):
    _, block, size, _ = ENCODINGS[encoding]
    return math.prod(dims) // block * size


class RandomWeights:
    """Random codes under scales that keep activations in range; norms are one."""

    def __init__(self):
        import numpy
        self.np = numpy
        self.random = numpy.random.default_rng(7)
        self.pool = self.random.integers(0, 256, 64 << 20, dtype=numpy.uint8)

    def write(self, out, encoding, elements):
        np, (_, block, size, scales) = self.np, ENCODINGS[encoding]
        if encoding == "f32":
            np.ones(elements, np.float32).tofile(out)
        elif encoding == "f16":
            values = (self.random.standard_normal(1 << 20, np.float32) * 0.02).astype(np.float16)
            np.resize(values, elements).tofile(out)
        else:
            start = int(self.random.integers(0, 1 << 20))
            blocks = np.resize(self.pool[start:], elements // block * size).reshape(-1, size)
            for at, value in scales.items():
                blocks[:, at:at + 2] = np.frombuffer(np.float16(value).tobytes(), np.uint8)
            blocks.tofile(out)


class NoWeights:
    """A hole in the file, which reads as zeros."""

    def write(self, out, encoding, elements):
        out.truncate(out.seek(bytes_of((elements,), encoding), 1))


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def write(name, types, path, sparse=False):
    shape, weights = SHAPES[name], NoWeights() if sparse else RandomWeights()
    table, pairs = list(tensors(shape, types)), metadata(f"{name}-{types}", shape)
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(table), len(pairs)))
        for key, kind, value in pairs:
            encoded = text(value) if kind == STRING else struct.pack("<I" if kind == U32 else "<f", value)
            out.write(text(key) + struct.pack("<I", kind) + encoded)
        offset = 0
        for tensor, dims, encoding in table:
            out.write(text(tensor) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, ENCODINGS[encoding][0], offset))
            offset += -(-bytes_of(dims, encoding) // ALIGNMENT) * ALIGNMENT
        for _, dims, encoding in table:
            out.write(b"\0" * (-out.tell() % ALIGNMENT))
            weights.write(out, encoding, math.prod(dims))
        out.write(b"\0" * (-out.tell() % ALIGNMENT))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("types", choices=TYPES)
    parser.add_argument("out")
    arguments = parser.parse_args()
    write(arguments.shape, arguments.types, arguments.out, arguments.sparse)
