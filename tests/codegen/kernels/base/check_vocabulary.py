# SPDX-License-Identifier: Apache-2.0
"""Compares the functions of base/nvrtc.cuh and of the GPU's part of ptx/*.cuh with those of base/host*.cuh.

usage: check_vocabulary.py ROOT
"""
import pathlib
import re
import sys

KERNELS = pathlib.Path(sys.argv[1]) / "codegen/kernels"
FUNCTION = re.compile(r"LLCUDA_DEVICE\s+[\w:]+[&*]?\s+(\w+)\(")
# Helpers of the GPU's own forms, which no kernel calls.
INTERNAL = {"sharedAddress", "permuteBySelector", "inLaneRegister"}


def gpu_part(text):
    """What lies within `#if defined(__CUDACC_RTC__)`."""
    return "".join(re.findall(r"#if defined\(__CUDACC_RTC__\)(.*?)#(?:endif|else)", text, re.S))


def functions(text):
    return set(FUNCTION.findall(text))


gpu = functions((KERNELS / "base/nvrtc.cuh").read_text(encoding="utf-8"))
for header in KERNELS.glob("ptx/*.cuh"):
    gpu |= functions(gpu_part(header.read_text(encoding="utf-8")))
host = set()
for header in KERNELS.glob("base/host*.cuh"):
    host |= functions(header.read_text(encoding="utf-8"))

missing = sorted(gpu - INTERNAL - host)
print(f"{len(gpu)} functions of the GPU, {len(host)} of the host; the host lacks: {', '.join(missing) or 'none'}")
sys.exit(1 if missing or len(gpu) < 40 else 0)
