#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a GGUF file with the shape of a real model and random weights: for speed only, its text means nothing.

usage: synthetic_model.py [--sparse] [--layers N] SHAPE TYPES OUT

SHAPE     llama-1b (Llama 3.2 1B), llama-3b (Llama 3.2 3B), llama-8b (Llama 3.1 8B), gemma3-4b (Gemma 3 4B, text),
          gpt-oss-20b, qwen3-30b-a3b, tiny, tiny-gemma3 and tiny-gpt-oss (to try the tools)
TYPES     one encoding for every matrix (f16, q8_0, q4_0, q4_k, q6_k); q4_k_m: the mixture that llama.cpp's quantiser
          makes; or mxfp4: experts in MXFP4, the rest in q8_0, as files of gpt-oss are
--layers  so many layers in place of the shape's
--sparse  every weight is zero and takes no room on the disk: to compile, not to run
"""
import argparse
import dataclasses
import math
import random
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
    experts: tuple = ()  # how many, how many a row takes, and the units of each


U32, F32, STRING = 4, 6, 8


def gemma3(layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, window):
    """Every sixth layer sees the whole context, the others a window; heads, attention and feed forward have norms of
    their own."""
    scaling = (("rope.scaling.type", STRING, "linear"), ("rope.scaling.factor", F32, 8.0))
    return Shape("gemma3", layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, tied=True, rope_base=1e6,
                 norm_eps=1e-6, extra=(("attention.sliding_window", U32, window), *scaling))


def gpt_oss(layers, embedding, heads, kv_heads, head, experts, vocabulary):
    """Every other layer has a window; yarn; biases on all linears, and a sink for each head."""
    yarn = (("rope.scaling.type", STRING, "yarn"), ("rope.scaling.factor", F32, 32.0),
            ("rope.scaling.original_context_length", U32, 4096), ("rope.scaling.yarn_beta_fast", F32, 32.0),
            ("rope.scaling.yarn_beta_slow", F32, 1.0))
    return Shape("gpt-oss", layers, embedding, heads, kv_heads, head, experts[2], vocabulary, tied=False, rope_base=1.5e5,
                 extra=(("attention.sliding_window", U32, 128), *yarn), experts=experts)


SHAPES = {
    "llama-1b": Shape("llama", 16, 2048, 32, 8, 64, 8192, 128256, True),
    "llama-3b": Shape("llama", 28, 3072, 24, 8, 128, 8192, 128256, True),
    "llama-8b": Shape("llama", 32, 4096, 32, 8, 128, 14336, 128256, False),
    "gemma3-4b": gemma3(34, 2560, 8, 4, 256, 10240, 262208, 1024),
    "gpt-oss-20b": gpt_oss(24, 2880, 64, 8, 64, (32, 4, 2880), 201088),
    "qwen3-30b-a3b": Shape("qwen3moe", 48, 2048, 32, 4, 128, 6144, 151936, False, 1e6, 1e-6, experts=(128, 8, 768)),
    "tiny-gpt-oss": gpt_oss(2, 256, 4, 2, 64, (8, 2, 256), 512),
    "tiny": Shape("llama", 2, 256, 4, 2, 64, 512, 512, True),
    "tiny-gemma3": gemma3(7, 256, 4, 2, 64, 512, 512, 64),
}
CONTEXT = 131072


def half(value):
    return struct.pack("<e", value)


# number in GGUF, elements and bytes of a block, {byte in the block: scale that keeps activations in range}
ENCODINGS = {
    "f32": (0, 1, 4, {}),
    "f16": (1, 1, 2, {}),
    "q4_0": (2, 32, 18, {0: half(4e-3)}),
    "q8_0": (8, 32, 34, {0: half(3e-4)}),
    "q4_k": (12, 256, 144, {0: half(1.2e-4), 2: half(9e-4)}),
    "q6_k": (14, 256, 210, {208: half(1.5e-5)}),
    "mxfp4": (39, 32, 17, {0: bytes([119])}),
}
TYPES = ("q4_k_m", *(name for name in ENCODINGS if name != "f32"))
ALIGNMENT = 32


def tensors(shape, types):
    """(name, dims, encoding) in the order of the file."""
    base, fine = {"q4_k_m": ("q4_k", "q6_k"), "mxfp4": ("q8_0", "q8_0")}.get(types, (types, types))
    eighth = shape.layers // 8

    def is_fine(layer):  # where the mixture spends more bits on attn_v and ffn_down
        return layer < eighth or layer >= 7 * shape.layers // 8 or (layer - eighth) % 3 == 2

    def norm(name, size=shape.embedding):
        return f"{name}.weight", (size,), "f32"

    def linear(name, inputs, outputs, encoding, *count):
        yield f"{name}.weight", (inputs, outputs, *count), encoding
        if shape.architecture == "gpt-oss":
            yield f"{name}.bias", (outputs, *count), "f32"

    yield "token_embd.weight", (shape.embedding, shape.vocabulary), fine if shape.tied else base
    yield norm("output_norm")
    if not shape.tied:
        yield "output.weight", (shape.embedding, shape.vocabulary), fine
    for layer in range(shape.layers):
        block, some = f"blk.{layer}.", fine if is_fine(layer) else base
        yield norm(block + "attn_norm")
        yield from linear(block + "attn_q", shape.embedding, shape.heads * shape.head, base)
        yield from linear(block + "attn_k", shape.embedding, shape.kv_heads * shape.head, base)
        yield from linear(block + "attn_v", shape.embedding, shape.kv_heads * shape.head, some)
        yield from linear(block + "attn_output", shape.heads * shape.head, shape.embedding, base)
        if shape.architecture in ("gemma3", "qwen3moe"):
            yield norm(block + "attn_q_norm", shape.head)
            yield norm(block + "attn_k_norm", shape.head)
        if shape.architecture == "gemma3":
            yield norm(block + "post_attention_norm")
            yield norm(block + "post_ffw_norm")
        if shape.architecture == "gpt-oss":
            yield norm(block + "attn_sinks", shape.heads)
            yield norm(block + "post_attention_norm")
        else:
            yield norm(block + "ffn_norm")
        if shape.experts:
            count, _, units = shape.experts
            encoding = (base, some) if types != "mxfp4" else ("mxfp4", "mxfp4")
            yield from linear(block + "ffn_gate_inp", shape.embedding, count, "f32")
            yield from linear(block + "ffn_gate_exps", shape.embedding, units, encoding[0], count)
            yield from linear(block + "ffn_up_exps", shape.embedding, units, encoding[0], count)
            yield from linear(block + "ffn_down_exps", units, shape.embedding, encoding[1], count)
        else:
            yield from linear(block + "ffn_gate", shape.embedding, shape.feed_forward, base)
            yield from linear(block + "ffn_up", shape.embedding, shape.feed_forward, base)
            yield from linear(block + "ffn_down", shape.feed_forward, shape.embedding, some)


def metadata(name, shape):
    own = [
        ("block_count", U32, shape.layers), ("context_length", U32, CONTEXT),
        ("embedding_length", U32, shape.embedding), ("feed_forward_length", U32, shape.feed_forward),
        ("attention.head_count", U32, shape.heads), ("attention.head_count_kv", U32, shape.kv_heads),
        ("attention.key_length", U32, shape.head), ("attention.value_length", U32, shape.head),
        ("rope.dimension_count", U32, shape.head), ("rope.freq_base", F32, shape.rope_base),
        ("attention.layer_norm_rms_epsilon", F32, shape.norm_eps), ("vocab_size", U32, shape.vocabulary), *shape.extra,
    ]
    if shape.experts:
        keys = ("expert_count", "expert_used_count", "expert_feed_forward_length")
        own += [(key, U32, value) for key, value in zip(keys, shape.experts, strict=True)]
    return [("general.architecture", STRING, shape.architecture), ("general.name", STRING, name),
            *((f"{shape.architecture}.{key}", kind, value) for key, kind, value in own),
            ("tokenizer.ggml.model", STRING, "no_vocab")]


def bytes_of(dims, encoding):
    _, block, size, _ = ENCODINGS[encoding]
    return math.prod(dims) // block * size


class RandomWeights:
    """Random codes under scales that keep activations in range; norms are one, and what routers and biases are is
    random."""

    def __init__(self):
        self.random = random.Random(7)
        self.runs = {}  # of each encoding: blocks that tensors repeat, from any on

    def run_of(self, encoding):
        _, _, size, scales = ENCODINGS[encoding]
        if encoding in ("f32", "f16"):
            values = [self.random.gauss(0, 0.02) for _ in range(1 << 16)]
            return struct.pack(f"<{len(values)}{'e' if encoding == 'f16' else 'f'}", *values)
        run = bytearray(self.random.randbytes(size << 16))
        for at, scale in scales.items():
            for i, byte in enumerate(scale):
                run[at + i::size] = bytes([byte]) * (1 << 16)
        return bytes(run)

    def write(self, out, name, dims, encoding):
        if "norm" in name:
            out.write(struct.pack("<f", 1.0) * math.prod(dims))
            return
        if encoding not in self.runs:
            self.runs[encoding] = self.run_of(encoding)
        run, size = self.runs[encoding], ENCODINGS[encoding][2]
        at, left = self.random.randrange(1 << 16) * size, bytes_of(dims, encoding)
        while left:
            part = run[at:at + left]
            out.write(part)
            at, left = 0, left - len(part)


class NoWeights:
    """A hole in the file, which reads as zeros."""

    def write(self, out, name, dims, encoding):
        out.truncate(out.seek(bytes_of(dims, encoding), 1))


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def write(name, types, path, sparse=False, layers=None):
    shape, weights = SHAPES[name], NoWeights() if sparse else RandomWeights()
    if layers:
        shape = dataclasses.replace(shape, layers=layers)
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
        for tensor, dims, encoding in table:
            out.write(b"\0" * (-out.tell() % ALIGNMENT))
            weights.write(out, tensor, dims, encoding)
        out.write(b"\0" * (-out.tell() % ALIGNMENT))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("--layers", type=int)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("types", choices=TYPES)
    parser.add_argument("out")
    arguments = parser.parse_args()
    write(arguments.shape, arguments.types, arguments.out, arguments.sparse, arguments.layers)
