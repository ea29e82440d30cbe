# SPDX-License-Identifier: Apache-2.0
"""Linear layers as bitsandbytes stores them, and the hashes of what it reads from them, on the CPU.

usage: bnb_goldens.py FOLDER     writes bnb.safetensors and bnb.txt there; needs torch, bitsandbytes and safetensors

A line of bnb.txt: layer, dtype, rows, columns, 64-bit FNV-1a of the dequantised values in that dtype, row-major. The
names and layouts are those of `QuantState.as_dict`.
"""
import sys

import bitsandbytes.functional as bnb
import torch
from safetensors.torch import save_file

VIEWS = {"u8": torch.uint8, "bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}


def fnv(tensor):
    value = 0xCBF29CE484222325
    for byte in tensor.contiguous().reshape(-1).view(torch.uint8).tolist():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


class Goldens:
    def __init__(self):
        self.tensors, self.lines = {}, []
        self.random = torch.Generator().manual_seed(7)

    def four_bit(self, name, kind, nested, blocksize, shape, dtype=torch.float16, view="u8"):
        values = (torch.randn(shape, generator=self.random) * 0.05).to(dtype)
        codes, state = bnb.quantize_4bit(values, blocksize=blocksize, compress_statistics=nested, quant_type=kind,
                                         quant_storage=VIEWS[view])
        back = bnb.dequantize_4bit(codes, state)
        self.tensors[name + ".weight"] = codes
        for key, value in state.as_dict(packed=True).items():
            self.tensors[f"{name}.weight.{key}"] = value.clone()
        self.line(name, back)

    def int8(self, name, shape):
        codes, scales, _ = bnb.int8_vectorwise_quant((torch.randn(shape, generator=self.random) * 0.05).half())
        self.tensors |= {name + ".weight": codes, name + ".SCB": scales, name + ".weight_format": torch.tensor(0, dtype=torch.uint8)}
        self.line(name, bnb.int8_vectorwise_dequant(codes, scales))

    def line(self, name, back):
        self.lines.append(f"{name} {str(back.dtype)[6:]} {back.shape[0]} {back.shape[1]} {fnv(back):016x}")


def main():
    goldens = Goldens()
    for blocksize in (32, 64, 128, 256, 512, 1024, 2048, 4096):
        shape = (max(2, blocksize * 3 // 2 // 64), 64)  # the last block is short
        for kind, nested in (("nf4", False), ("nf4", True), ("fp4", blocksize % 3 == 1)):
            goldens.four_bit(f"{kind}_{blocksize}_{'nested' if nested else 'plain'}", kind, nested, blocksize, shape)
    goldens.four_bit("many_blocks", "nf4", True, 32, (129, 64))
    goldens.four_bit("bf16", "nf4", True, 64, (6, 128), torch.bfloat16)
    goldens.four_bit("f32", "nf4", False, 64, (6, 128), torch.float32)
    goldens.four_bit("half_blocks", "nf4", True, 64, (6, 96), torch.bfloat16)
    goldens.four_bit("odd_tail", "nf4", False, 64, (5, 27), torch.float16)
    goldens.four_bit("odd_columns", "fp4", True, 128, (9, 50), torch.bfloat16)
    for view in ("bf16", "f16", "f32"):
        goldens.four_bit("stored_" + view, "nf4", True, 64, (4, 64), torch.bfloat16, view)
    goldens.int8("int8", (7, 64))
    goldens.int8("int8_odd", (3, 20))
    save_file(goldens.tensors, sys.argv[1] + "/bnb.safetensors")
    with open(sys.argv[1] + "/bnb.txt", "w", encoding="ascii") as file:
        file.write("\n".join(goldens.lines) + "\n")


main()
