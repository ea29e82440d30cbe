#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a GGUF file with the shape of a real model and random weights: for speed only, its text means nothing.

usage: synthetic_model.py [--sparse] [--layers N] SHAPE TYPES OUT

SHAPE     llama-1b (Llama 3.2 1B), llama-3b (Llama 3.2 3B), llama-8b (Llama 3.1 8B), gemma3-4b (Gemma 3 4B, text),
          gemma4-e2b, gemma4-e4b, gemma4-12b, qwen3.5-4b, qwen3.5-9b, lfm2-1.2b, gpt-oss-20b, qwen3-30b-a3b, and to try
          the tools tiny, tiny-gemma3, tiny-gemma4, tiny-qwen3.5, tiny-lfm2 and tiny-gpt-oss
TYPES     one encoding for every matrix (f16, q8_0, q4_0, q4_k, q5_k, q6_k); q4_k_m: the mixture that llama.cpp's
          quantiser makes; or mxfp4: experts in MXFP4, the rest in q8_0, as files of gpt-oss are
--layers  so many layers in place of the shape's
--sparse  every matrix is zero and takes no room on the disk: to compile, not to run
"""
import argparse
import dataclasses
import math
import random
import struct

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of a model, and in `extra` what its architecture has besides: (key without the architecture, type,
    value). A list is an array of the type. Architectures whose layers differ are classes of their own."""
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
    final_norm = "output_norm"

    def attends(self, layer):
        """Whether a layer has attention; else it has a state."""
        return True

    def head_of(self, layer):
        return self.head

    def kv_heads_of(self, layer):
        """0 where a layer attends over the cache of another."""
        return self.kv_heads

    def feed_forward_of(self, layer):
        return self.feed_forward

    def keys(self):
        """What `layers` decides of the keys."""
        return ()

    def of(self, layers):
        """The same with another number of layers."""
        return dataclasses.replace(self, layers=layers)


def gemma3(layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, window):
    """Every sixth layer sees the whole context, the others a window; heads, attention and feed forward have norms of
    their own."""
    scaling = (("rope.scaling.type", STRING, "linear"), ("rope.scaling.factor", F32, 8.0))
    return Shape("gemma3", layers, embedding, heads, kv_heads, head, feed_forward, vocabulary, tied=True, rope_base=1e6,
                 norm_eps=1e-6, extra=(("attention.sliding_window", U32, window), *scaling))


@dataclasses.dataclass(frozen=True)
class Gemma4(Shape):
    """The last of every `period` layers sees the whole context with heads of twice the size; the last `shared` layers
    attend over the caches of those before them; each layer may have embeddings of its own."""
    tied: bool = True
    rope_base: float = 1e6
    norm_eps: float = 1e-6
    period: int = 6
    window: int = 512
    shared: int = 0
    own_embedding: int = 0
    wide: bool = False  # the feed forward of layers that share a cache is twice as wide
    global_kv_heads: int = 0  # of layers that see the whole context, whose values are their keys; 0: as the others

    def of(self, layers):
        return dataclasses.replace(self, layers=layers, shared=self.shared * layers // self.layers)

    def has_window(self, layer):
        return (layer + 1) % self.period != 0

    def owns_cache(self, layer):
        return layer < self.layers - self.shared

    def head_of(self, layer):
        return self.head if self.has_window(layer) else 2 * self.head

    def kv_heads_of(self, layer):
        if not self.owns_cache(layer):
            return 0
        return self.kv_heads if self.has_window(layer) or self.global_kv_heads == 0 else self.global_kv_heads

    def feed_forward_of(self, layer):
        return self.feed_forward * (2 if self.wide and not self.owns_cache(layer) else 1)

    def keys(self):
        every = range(self.layers)
        return (("attention.key_length", U32, 2 * self.head), ("attention.value_length", U32, 2 * self.head),
                ("attention.key_length_swa", U32, self.head), ("attention.value_length_swa", U32, self.head),
                ("rope.dimension_count", U32, 2 * self.head), ("rope.dimension_count_swa", U32, self.head),
                ("rope.freq_base_swa", F32, 1e4), ("attention.sliding_window", U32, self.window),
                ("attention.sliding_window_pattern", BOOL, [self.has_window(layer) for layer in every]),
                ("attention.shared_kv_layers", U32, self.shared), ("final_logit_softcapping", F32, 30.0),
                ("embedding_length_per_layer_input", U32, self.own_embedding),
                ("attention.head_count_kv", I32,
                 [self.kv_heads if self.has_window(layer) else self.global_kv_heads or self.kv_heads
                  for layer in every]),
                ("feed_forward_length", I32, [self.feed_forward_of(layer) for layer in every]))


@dataclasses.dataclass(frozen=True)
class Qwen35(Shape):
    """Every fourth layer attends, and gates what it attended; the others have the gated delta rule of `key_heads` and
    `value_heads` heads of `state` elements, after a convolution of four taps."""
    rope_base: float = 1e7
    norm_eps: float = 1e-6
    key_heads: int = 16
    value_heads: int = 32
    state: int = 128

    def attends(self, layer):
        return (layer + 1) % 4 == 0

    def keys(self):
        turned = self.head // 4
        return (("rope.dimension_count", U32, turned),
                ("rope.dimension_sections", I32, [turned // 2 - 2 * (turned // 6), turned // 6, turned // 6, 0]),
                ("ssm.conv_kernel", U32, 4), ("ssm.state_size", U32, self.state),
                ("ssm.group_count", U32, self.key_heads),
                ("ssm.time_step_rank", U32, self.value_heads), ("ssm.inner_size", U32, self.value_heads * self.state),
                ("full_attention_interval", U32, 4),
                ("attention.recurrent_layers", BOOL, [not self.attends(layer) for layer in range(self.layers)]))


@dataclasses.dataclass(frozen=True)
class Lfm2(Shape):
    """The layers of `attention` attend, the others are convolutions over three positions."""
    tied: bool = True
    rope_base: float = 1e6
    attention: tuple = ()
    final_norm = "token_embd_norm"

    def attends(self, layer):
        return layer in self.attention

    def keys(self):
        return (("attention.head_count_kv", I32, [self.kv_heads if self.attends(layer) else 0
                                                  for layer in range(self.layers)]),
                ("shortconv.l_cache", U32, 3))


def gpt_oss(layers, embedding, heads, kv_heads, head, experts, vocabulary):
    """Every other layer has a window; yarn; biases on all linears, and a sink for each head."""
    yarn = (("rope.scaling.type", STRING, "yarn"), ("rope.scaling.factor", F32, 32.0),
            ("rope.scaling.original_context_length", U32, 4096), ("rope.scaling.yarn_beta_fast", F32, 32.0),
            ("rope.scaling.yarn_beta_slow", F32, 1.0))
    return Shape("gpt-oss", layers, embedding, heads, kv_heads, head, experts[2], vocabulary, tied=False,
                 rope_base=1.5e5, extra=(("attention.sliding_window", U32, 128), *yarn), experts=experts)


SHAPES = {
    "llama-1b": Shape("llama", 16, 2048, 32, 8, 64, 8192, 128256, True),
    "llama-3b": Shape("llama", 28, 3072, 24, 8, 128, 8192, 128256, True),
    "llama-8b": Shape("llama", 32, 4096, 32, 8, 128, 14336, 128256, False),
    "gemma3-4b": gemma3(34, 2560, 8, 4, 256, 10240, 262208, 1024),
    "gemma4-e2b": Gemma4("gemma4", 35, 1536, 8, 1, 256, 6144, 262144, period=5, shared=20, own_embedding=256,
                         wide=True),
    "gemma4-e4b": Gemma4("gemma4", 42, 2560, 8, 2, 256, 10240, 262144, shared=18, own_embedding=256),
    "gemma4-12b": Gemma4("gemma4", 48, 3840, 16, 8, 256, 15360, 262144, window=1024, global_kv_heads=1),
    "qwen3.5-4b": Qwen35("qwen35", 32, 2560, 16, 4, 256, 9216, 248320, True),
    "qwen3.5-9b": Qwen35("qwen35", 32, 4096, 16, 4, 256, 12288, 248320, False),
    "lfm2-1.2b": Lfm2("lfm2", 16, 2048, 32, 8, 64, 8192, 65536, attention=(2, 5, 8, 10, 12, 14)),
    "gpt-oss-20b": gpt_oss(24, 2880, 64, 8, 64, (32, 4, 2880), 201088),
    "qwen3-30b-a3b": Shape("qwen3moe", 48, 2048, 32, 4, 128, 6144, 151936, False, 1e6, 1e-6, experts=(128, 8, 768)),
    "tiny-gpt-oss": gpt_oss(2, 256, 4, 2, 64, (8, 2, 256), 512),
    "tiny": Shape("llama", 2, 256, 4, 2, 64, 512, 512, True),
    "tiny-gemma3": gemma3(7, 256, 4, 2, 64, 512, 512, 64),
    "tiny-gemma4": Gemma4("gemma4", 6, 256, 4, 1, 64, 512, 512, period=3, window=64, shared=3, own_embedding=256,
                          wide=True),
    "tiny-qwen3.5": Qwen35("qwen35", 4, 256, 4, 2, 64, 512, 512, True, key_heads=2, value_heads=4, state=64),
    "tiny-lfm2": Lfm2("lfm2", 3, 256, 4, 2, 64, 512, 512, attention=(1,)),
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
    "q5_k": (13, 256, 176, {0: half(6e-5), 2: half(9e-4)}),
    "q6_k": (14, 256, 210, {208: half(1.5e-5)}),
    "mxfp4": (39, 32, 17, {0: bytes([119])}),
}
TYPES = ("q4_k_m", *(name for name in ENCODINGS if name != "f32"))
ALIGNMENT = 32


def mixer(shape, layer, linear, norm, base, some):
    """What mixes the tokens of a layer."""
    block, width, head, kv_heads = f"blk.{layer}.", shape.embedding, shape.head_of(layer), shape.kv_heads_of(layer)
    if shape.attends(layer):
        gates = 2 if shape.architecture == "qwen35" else 1
        yield from linear(block + "attn_q", width, gates * shape.heads * head, base)
        if kv_heads:
            yield from linear(block + "attn_k", width, kv_heads * head, base)
        if kv_heads and not (shape.architecture == "gemma4" and shape.global_kv_heads and not shape.has_window(layer)):
            yield from linear(block + "attn_v", width, kv_heads * head, some)
        yield from linear(block + "attn_output", shape.heads * head, width, base)
        if shape.architecture in ("gemma3", "gemma4", "qwen3moe", "qwen35", "lfm2"):
            yield norm(block + "attn_q_norm", head)
            if kv_heads:
                yield norm(block + "attn_k_norm", head)
    elif shape.architecture == "lfm2":
        yield from linear(block + "shortconv.in_proj", width, 3 * width, base)
        yield f"{block}shortconv.conv.weight", (3, width), "f32"
        yield from linear(block + "shortconv.out_proj", width, width, base)
    else:
        values = shape.value_heads * shape.state
        both = 2 * shape.key_heads * shape.state + values
        yield from linear(block + "attn_qkv", width, both, "q5_k" if base == "q4_k" else base)
        yield from linear(block + "attn_gate", width, values, base)
        yield from linear(block + "ssm_alpha", width, shape.value_heads, base)
        yield from linear(block + "ssm_beta", width, shape.value_heads, base)
        yield from linear(block + "ssm_out", values, width, base)
        yield f"{block}ssm_conv1d.weight", (4, both), "f32"
        yield f"{block}ssm_dt.bias", (shape.value_heads,), "f32"
        yield f"{block}ssm_a", (shape.value_heads,), "f32"
        yield norm(block + "ssm_norm", shape.state)


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

    own = shape.own_embedding if shape.architecture == "gemma4" else 0
    yield "token_embd.weight", (shape.embedding, shape.vocabulary), fine if shape.tied else base
    yield norm(shape.final_norm)
    if not shape.tied:
        yield "output.weight", (shape.embedding, shape.vocabulary), fine
    if shape.architecture == "gemma4":
        yield "rope_freqs.weight", (shape.head,), "f32"
    if own:
        yield "per_layer_token_embd.weight", (own * shape.layers, shape.vocabulary), base
        yield "per_layer_model_proj.weight", (shape.embedding, own * shape.layers), "f16"  # never quantised
        yield norm("per_layer_proj_norm", own)
    for layer in range(shape.layers):
        block, some = f"blk.{layer}.", fine if is_fine(layer) else base
        yield norm(block + "attn_norm")
        yield from mixer(shape, layer, linear, norm, base, some)
        if shape.architecture in ("gemma3", "gemma4"):
            yield norm(block + "post_attention_norm")
            yield norm(block + "post_ffw_norm")
        if shape.architecture == "gemma4":
            yield f"{block}layer_output_scale.weight", (1,), "f32"
        if own:
            yield from linear(block + "inp_gate", shape.embedding, own, base)
            yield from linear(block + "proj", own, shape.embedding, base)
            yield norm(block + "post_norm")
        if shape.architecture == "gpt-oss":
            yield norm(block + "attn_sinks", shape.heads)
        yield norm(block + ("post_attention_norm" if shape.architecture in ("gpt-oss", "qwen35") else "ffn_norm"))
        if shape.experts:
            count, _, units = shape.experts
            encoding = (base, some) if types != "mxfp4" else ("mxfp4", "mxfp4")
            yield from linear(block + "ffn_gate_inp", shape.embedding, count, "f32")
            yield from linear(block + "ffn_gate_exps", shape.embedding, units, encoding[0], count)
            yield from linear(block + "ffn_up_exps", shape.embedding, units, encoding[0], count)
            yield from linear(block + "ffn_down_exps", units, shape.embedding, encoding[1], count)
        else:
            units = shape.feed_forward_of(layer)
            yield from linear(block + "ffn_gate", shape.embedding, units, base)
            yield from linear(block + "ffn_up", shape.embedding, units, base)
            yield from linear(block + "ffn_down", units, shape.embedding, some)


def metadata(name, shape):
    own = {
        "block_count": (U32, shape.layers), "context_length": (U32, CONTEXT),
        "embedding_length": (U32, shape.embedding), "feed_forward_length": (U32, shape.feed_forward),
        "attention.head_count": (U32, shape.heads), "attention.head_count_kv": (U32, shape.kv_heads),
        "attention.key_length": (U32, shape.head), "attention.value_length": (U32, shape.head),
        "rope.dimension_count": (U32, shape.head), "rope.freq_base": (F32, shape.rope_base),
        "attention.layer_norm_rms_epsilon": (F32, shape.norm_eps), "vocab_size": (U32, shape.vocabulary),
    }
    own.update((key, (kind, value)) for key, kind, value in (*shape.extra, *shape.keys()))
    if shape.experts:
        keys = ("expert_count", "expert_used_count", "expert_feed_forward_length")
        own.update((key, (U32, value)) for key, value in zip(keys, shape.experts, strict=True))
    return [("general.architecture", STRING, shape.architecture), ("general.name", STRING, name),
            *((f"{shape.architecture}.{key}", kind, value) for key, (kind, value) in own.items()),
            ("tokenizer.ggml.model", STRING, "no_vocab")]


def bytes_of(dims, encoding):
    _, block, size, _ = ENCODINGS[encoding]
    return math.prod(dims) // block * size


def constants(name, dims):
    """Norms and scales are one, states decay, and a quarter of the pairs that have divisors turns; else none."""
    count = math.prod(dims)
    if name == "rope_freqs.weight":
        return [1.0] * (count // 4) + [1e30] * (count - count // 4)
    if "norm" in name or name.endswith("layer_output_scale.weight"):
        return [0.875 if "scale" in name else 1.0] * count
    return [-1.0] * count if name.endswith("ssm_a") else None


class RandomWeights:
    """Random codes under scales that keep activations in range; what routers and biases are is random."""

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

    def write(self, out, dims, encoding):
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

    def write(self, out, dims, encoding):
        out.truncate(out.seek(bytes_of(dims, encoding), 1))


def encoded(kind, value):
    if isinstance(value, list):
        return struct.pack("<IQ", kind, len(value)) + b"".join(encoded(kind, item) for item in value)
    if kind == STRING:
        data = value.encode()
        return struct.pack("<Q", len(data)) + data
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def write(name, types, path, sparse=False, layers=None):
    shape, weights = SHAPES[name], NoWeights() if sparse else RandomWeights()
    if layers:
        shape = shape.of(layers)
    table, pairs = list(tensors(shape, types)), metadata(f"{name}-{types}", shape)
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(table), len(pairs)))
        for key, kind, value in pairs:
            number = ARRAY if isinstance(value, list) else kind
            out.write(encoded(STRING, key) + struct.pack("<I", number) + encoded(kind, value))
        offset = 0
        for tensor, dims, encoding in table:
            sizes = struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, ENCODINGS[encoding][0], offset)
            out.write(encoded(STRING, tensor) + sizes)
            offset += -(-bytes_of(dims, encoding) // ALIGNMENT) * ALIGNMENT
        for tensor, dims, encoding in table:
            out.write(b"\0" * (-out.tell() % ALIGNMENT))
            values = constants(tensor, dims)
            if values:
                out.write(struct.pack(f"<{len(values)}f", *values))
            else:
                weights.write(out, dims, encoding)
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
