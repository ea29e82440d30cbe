# SPDX-License-Identifier: Apache-2.0
"""bitsandbytes' NF4, bit by bit as it quantises on a processor, without bitsandbytes or torch.

    packed = quantize_nf4(weight, double_quant=True)
    safetensors.torch.save_file({k: torch.from_numpy(v) for k, v in packed.state_dict("layer.weight").items()}, ...)
"""
from __future__ import annotations

import array
import ctypes
import importlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ._library import call, library
from .errors import UnsupportedError, UsageError

_BLOCK8 = 256  # magnitudes that share one in a nested quantisation
_PIECE = 1 << 24  # values that are f32 at a time
_FLOATS = {"torch.float32": "float32", "torch.float16": "float16", "torch.bfloat16": "bfloat16",
           "float32": "float32", "float16": "float16"}


@dataclass(frozen=True)
class NF4Tensor:
    """A matrix in 4 bits.

    packed    (elements + 1) // 2 bytes, the first of two elements in the high half
    absmax    the largest magnitude of each block; nested: their codes, a byte each
    shape, dtype, blocksize   of the values that were given
    offset, nested_absmax     nested: a magnitude is about offset + dynamic map[code] * nested_absmax of its 256
    """

    packed: bytearray
    absmax: array.array[float] | bytearray
    shape: tuple[int, ...]
    dtype: str
    blocksize: int
    offset: float | None = None
    nested_absmax: array.array[float] | None = None

    @property
    def nested(self) -> bool:
        return self.offset is not None

    def dequantize(self) -> array.array[float]:
        """The values in f32, row after row: NF4's value of a code times the block's magnitude."""
        table = nf4_values()
        magnitudes = self.magnitudes()
        values = array.array("f", bytes(4 * math.prod(self.shape)))
        for i in range(len(values)):
            code = self.packed[i // 2] >> (0 if i % 2 else 4) & 15
            values[i] = table[code] * magnitudes[i // self.blocksize]
        return values

    def magnitudes(self) -> Sequence[float]:
        """The largest magnitude of each block as it is stored."""
        if self.offset is None or self.nested_absmax is None:
            return self.absmax
        table = dynamic_values()
        return array.array("f", [_f32(table[int(code)] * self.nested_absmax[i // _BLOCK8]) + self.offset
                                 for i, code in enumerate(self.absmax)])

    def state_dict(self, name: str) -> dict[str, Any]:
        """The tensors of `name` in a file of bitsandbytes, as numpy arrays."""
        numpy = importlib.import_module("numpy")
        facts: dict[str, Any] = {"quant_type": "nf4", "blocksize": self.blocksize, "dtype": self.dtype,
                                 "shape": list(self.shape)}
        tensors = {name: numpy.frombuffer(self.packed, numpy.uint8).reshape(-1, 1),
                   f"{name}.absmax": numpy.frombuffer(self.absmax, numpy.uint8 if self.nested else numpy.float32),
                   f"{name}.quant_map": numpy.array(nf4_values(), numpy.float32)}
        if self.nested:
            facts |= {"nested_blocksize": _BLOCK8, "nested_dtype": "float32", "nested_offset": self.offset}
            tensors[f"{name}.nested_absmax"] = numpy.frombuffer(self.nested_absmax, numpy.float32)
            tensors[f"{name}.nested_quant_map"] = numpy.array(dynamic_values(), numpy.float32)
        text = json.dumps(facts).encode()
        tensors[f"{name}.quant_state.bitsandbytes__nf4"] = numpy.frombuffer(text, numpy.uint8)
        return tensors


def nf4_values() -> list[float]:
    """The 16 values of NF4's codes."""
    return list(library().llcuda_nf4_values()[:16])


def dynamic_values() -> list[float]:
    """The 256 values of the map in which nested magnitudes are."""
    return list(library().llcuda_dynamic8_values()[:256])


def quantize_nf4(x: Any, blocksize: int = 64, double_quant: bool = False) -> NF4Tensor:
    """Quantises a tensor of torch (on any device), an array of numpy, or any buffer of floats. What is not f32 is f16
    or bf16; its values are taken as they are.

    With `double_quant` the magnitudes are quantised again, around their mean: of a tensor of torch torch's own, which
    bitsandbytes takes; else the exact one, which may differ in the last bit.
    """
    source = _Source(x)
    count = math.prod(source.shape)
    packed = bytearray((count + 1) // 2)
    absmax = array.array("f", bytes(4 * -(-count // blocksize) if blocksize > 0 else 0))
    piece = max(1, _PIECE // max(blocksize, 1)) * max(blocksize, 1)
    for first in range(0, count, piece):
        values = source.floats(first, min(piece, count - first))
        _quantize("llcuda_quantize_nf4", values, blocksize, packed, first // 2, absmax, first // blocksize)
    if not double_quant:
        return NF4Tensor(packed, absmax, source.shape, source.dtype, blocksize)
    offset = source.mean(absmax)
    centred = array.array("f", [magnitude - offset for magnitude in absmax])
    codes = bytearray(len(absmax))
    nested = array.array("f", bytes(4 * -(-len(absmax) // _BLOCK8)))
    _quantize("llcuda_quantize_dynamic8", centred, _BLOCK8, codes, 0, nested, 0)
    return NF4Tensor(packed, codes, source.shape, source.dtype, blocksize, offset, nested)


def _f32(value: float) -> float:
    return ctypes.c_float(value).value


def _quantize(function: str, values: Any, block: int, codes: bytearray, first_code: int, absmax: Any,
              first_block: int) -> None:
    count = len(values)
    if count == 0:
        return
    floats = (ctypes.c_float * count).from_buffer(values)
    code_bytes = (ctypes.c_uint8 * (len(codes) - first_code)).from_buffer(codes, first_code)
    magnitudes = (ctypes.c_float * (len(absmax) - first_block)).from_buffer(absmax, 4 * first_block)
    call(function, floats, count, block, code_bytes, magnitudes)


class _Source:
    """The values of whatever was given, some at a time as a writable buffer of f32."""

    def __init__(self, x: Any) -> None:
        self.torch = type(x).__module__.split(".")[0] == "torch"
        if not hasattr(x, "dtype"):
            view = memoryview(x)
            if view.format not in ("f", "<f") or not view.c_contiguous:
                raise UsageError(f"a buffer of the format {view.format!r} is given; floats in order are wanted")
            self.shape: tuple[int, ...] = tuple(view.shape or ())
            self.dtype = "float32"
            self.flat: Any = view.cast("B").cast("f") if view.nbytes else view
            return
        self.dtype = _FLOATS.get(str(x.dtype), "")
        if not self.dtype:
            raise UnsupportedError(f"a tensor of {x.dtype} is given; f32, f16 and bf16 are quantised")
        self.shape = tuple(int(dim) for dim in x.shape)
        self.flat = x.detach().reshape(-1) if self.torch else x.reshape(-1)

    def floats(self, first: int, count: int) -> Any:
        part = self.flat[first:first + count]
        if self.torch:
            return memoryview(part.float().cpu().contiguous().numpy().copy())
        if isinstance(part, memoryview):
            return array.array("f", part)
        return memoryview(part.astype("float32", order="C", copy=True))

    def mean(self, magnitudes: array.array[float]) -> float:
        if not magnitudes:
            return 0.0
        if self.torch:
            torch = importlib.import_module("torch")
            return float(torch.frombuffer(magnitudes, dtype=torch.float32).mean())
        return _f32(math.fsum(magnitudes) / len(magnitudes))
