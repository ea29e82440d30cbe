# SPDX-License-Identifier: Apache-2.0
"""Root-mean-square errors of ggml's own quantisers, as the table of quantize_test.cpp.

usage: ggml_rmse.py LIBRARY     a shared library that exports ggml_quantize_chunk, such as the one of xllamacpp's wheel
"""
import ctypes
import sys

import gguf
import numpy as np

ROWS, COLUMNS = 64, 512
TYPES = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K")


def uniform(count, seed):
    """splitmix64, 53 bits; the same numbers as in the test."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


def gaussian(seed):
    return sum(uniform(ROWS * COLUMNS, seed + 1000 * i) for i in range(12)) - 6


INPUTS = {
    "gaussian": lambda: 0.02 * gaussian(1),
    "heavy-tailed": lambda: 0.02 * gaussian(2) / (0.05 + uniform(ROWS * COLUMNS, 3)),
    "row-varying": lambda: 0.02 * gaussian(4) * 2.0 ** (np.arange(ROWS * COLUMNS) // COLUMNS % 8 - 4),
    "one-sided": lambda: 0.5 + uniform(ROWS * COLUMNS, 5),
}


def main():
    quantize = ctypes.CDLL(sys.argv[1]).ggml_quantize_chunk
    quantize.restype = ctypes.c_size_t
    for name, make in INPUTS.items():
        values = np.ascontiguousarray(make(), np.float32)
        errors = []
        for kind in TYPES:
            number = gguf.GGMLQuantizationType[kind]
            elements, size = gguf.GGML_QUANT_SIZES[number]
            blocks = np.zeros(values.size // elements * size, np.uint8)
            quantize(int(number), values.ctypes.data_as(ctypes.c_void_p), blocks.ctypes.data_as(ctypes.c_void_p),
                     ctypes.c_int64(0), ctypes.c_int64(ROWS), ctypes.c_int64(COLUMNS), None)
            back = gguf.quants.dequantize(blocks.reshape(ROWS, -1), number).ravel()
            errors.append(np.sqrt(np.mean((back.astype(np.float64) - values) ** 2)))
        print(f'{{"{name}", {{{", ".join(f"{error:.6g}" for error in errors)}}}}},')


main()
