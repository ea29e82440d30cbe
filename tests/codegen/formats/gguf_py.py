# SPDX-License-Identifier: Apache-2.0
"""The scalar codecs against the gguf package, bit for bit, over random blocks.

usage: gguf_py.py CODEC_FILTER
A block is random bytes, so its scales take every kind of value: normal, denormal, infinite, NaN.
"""
import subprocess
import sys

import gguf
import numpy as np

BLOCKS = 4096


def q8_k(blocks):
    return blocks[:, :4].copy().view(np.float32) * blocks[:, 4:260].view(np.int8).astype(np.float32)


def q1_0(blocks):
    signs = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little").astype(np.float32) * 2 - 1
    return blocks[:, :2].copy().view(np.float16).astype(np.float32) * signs


def q2_0(blocks):
    bits = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little").reshape(len(blocks), 64, 2)
    codes = (bits[..., 0] + 2 * bits[..., 1]).astype(np.float32) - 1
    return blocks[:, :2].copy().view(np.float16).astype(np.float32) * codes


# What the package has no codec for: bytes of a block, and the formula in numpy.
FORMULAS = {"Q8_K": (292, q8_k), "Q1_0": (18, q1_0), "Q2_0": (18, q2_0)}


def codec(mode, data=b""):
    return subprocess.run([sys.argv[1], mode], input=bytes(data), stdout=subprocess.PIPE, check=True).stdout


def differing(ours, theirs):
    """Indices where bits differ; all NaNs count as one value."""
    different = ours.view(np.uint32) != theirs.view(np.uint32)
    return np.flatnonzero(different & ~(np.isnan(ours) & np.isnan(theirs)))


def check(name, blocks):
    with np.errstate(all="ignore"):
        if name in FORMULAS:
            theirs = FORMULAS[name][1](blocks).ravel()
        else:
            theirs = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[name]).ravel()
    ours = np.frombuffer(codec(name.lower(), blocks), np.float32)
    assert ours.size == theirs.size, f"{name}: {ours.size} values, expected {theirs.size}"
    bad = differing(ours, theirs)
    assert bad.size == 0, f"{name}: {bad.size} of {ours.size} differ, first [{bad[0]}]: {ours[bad[0]]} is {theirs[bad[0]]}"
    return ours.size, int(np.isfinite(ours).sum())


def random_blocks(name, random):
    block_bytes = FORMULAS[name][0] if name in FORMULAS else gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]][1]
    blocks = random.integers(0, 256, (BLOCKS, block_bytes), np.uint8)
    return blocks.view(np.float32) if name == "F32" else blocks


def blocks_of_every_scale(name, random):
    """One block for each f16 value of the scale, which is the block's first field."""
    _, block_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    blocks = random.integers(0, 256, (65536, block_bytes), np.uint8)
    blocks[:, :2] = np.arange(65536, dtype="<u2").view(np.uint8).reshape(-1, 2)
    return blocks


def check_rounding(random):
    """f32 to f16 against numpy: random bits, every f16, every middle between two of them and its neighbours."""
    halves = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
    positive = np.sort(halves[np.isfinite(halves) & (halves >= 0)])
    middles = (positive[:-1] + positive[1:]) / 2
    near = np.concatenate([middles, np.nextafter(middles, np.float32(0)), np.nextafter(middles, np.float32(np.inf))])
    bits = random.integers(0, 2**32, 1_000_000, np.uint32).view(np.float32)
    edges = np.array([65504, 65519.996, 65520, 65536, 1e30, 2**-25, 2**-24, np.inf, np.nan], np.float32)
    values = np.concatenate([halves, near, -near, bits, edges, -edges])
    with np.errstate(all="ignore"):
        theirs = values.astype(np.float16)
    ours = np.frombuffer(codec("to_f16", values), np.float16)
    bad = (ours.view(np.uint16) != theirs.view(np.uint16)) & ~(np.isnan(ours) & np.isnan(theirs))
    assert not bad.any(), f"to_f16: {bad.sum()} differ, first {values[bad][0]!r}"

    bf16 = gguf.quants.quantize(values.reshape(-1, 1), gguf.GGMLQuantizationType.BF16).view(np.uint16).ravel()
    ours = np.frombuffer(codec("to_bf16", values), np.uint16)
    assert np.array_equal(ours, bf16), "to_bf16 differs"


def main():
    random = np.random.default_rng(20240501)
    encodings = codec("list").decode().upper().split()
    assert len(encodings) > 20 and FORMULAS.keys() <= set(encodings), encodings
    for name in encodings:
        values, finite = check(name, random_blocks(name, random))
        assert finite > values // 2, f"{name}: only {finite} of {values} values are finite, the test is void"
        print(f"{name}: {values} values equal")
    for name in ("Q4_0", "Q4_1", "Q5_0", "Q8_0", "Q4_K", "Q5_K"):
        check(name, blocks_of_every_scale(name, random))
    check("F16", np.arange(65536, dtype="<u2").view(np.uint8).reshape(-1, 2))
    check("BF16", np.arange(65536, dtype="<u2").view(np.uint8).reshape(-1, 2))
    check_rounding(random)


main()
