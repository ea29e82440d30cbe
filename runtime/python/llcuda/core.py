# SPDX-License-Identifier: Apache-2.0
"""Arrays on a device, their products, and what the device is: enough to hand data to an engine's GPU and back.

    a = core.Tensor.from_numpy(x)
    print((a @ b).numpy(), core.get_device_properties())

Tensors share their memory with torch, cupy and numpy by DLPack, and on a GPU by __cuda_array_interface__. What more
there is to compute, these libraries do. Where there is no GPU a tensor lies on the host, and numpy multiplies.
"""
from __future__ import annotations

import ctypes
import enum
import importlib
import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import _dlpack
from ._cublas import cublas
from ._driver import Driver, device_count, driver
from .errors import UnsupportedError, UsageError

__all__ = ["DType", "DeviceProperties", "Tensor", "batched_matmul", "get_device_count", "get_device_properties",
           "matmul", "synchronize"]


class DType(enum.Enum):
    """The types of elements: numpy's names, bytes, DLPack's code."""

    f32 = ("float32", 4, 2)
    f16 = ("float16", 2, 2)
    i32 = ("int32", 4, 0)
    i64 = ("int64", 8, 0)
    u8 = ("uint8", 1, 1)

    @property
    def itemsize(self) -> int:
        return self.value[1]

    @property
    def _dlpack(self) -> tuple[int, int]:
        return self.value[2], 8 * self.value[1]


def _dtype(given: DType | str) -> DType:
    if isinstance(given, DType):
        return given
    for dtype in DType:
        if given in (dtype.name, dtype.value[0]):
            return dtype
    raise UnsupportedError(f"dtype is {given}; there are {', '.join(dtype.value[0] for dtype in DType)}")


def _numpy() -> Any:
    try:
        return importlib.import_module("numpy")
    except ImportError:
        raise UnsupportedError("this takes numpy, which is not installed") from None


@dataclass(frozen=True)
class DeviceProperties:
    """`major` and `minor` are the compute capability, 0.0 on the host; memory in bytes."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    warp_size: int
    max_threads_per_block: int
    shared_memory_per_block: int


def get_device_count() -> int:
    """Of GPUs; tensors can lie on the host where there is none."""
    return device_count(False)


def get_device_properties(device: int | str = "auto") -> DeviceProperties:
    """Of a GPU by its number or as "cuda:0", of "host", or of what there is."""
    on = driver(f"cuda:{device}" if isinstance(device, int) else device)
    return DeviceProperties(on.name(), on.attribute(75), on.attribute(76), on.total_memory(), on.attribute(16),
                            on.attribute(10), on.attribute(1), on.attribute(8))


def synchronize(device: str = "auto") -> None:
    """Waits for what was asked of a device."""
    driver(device).synchronize()


class Tensor:
    """Elements in order of their rows, in memory of a device, which is freed with the last tensor that uses it. Made by
    `empty`, `zeros`, `ones`, `from_numpy` and `from_dlpack`."""

    def __init__(self, shape: Sequence[int], dtype: DType, on: Driver, pointer: int, owner: object) -> None:
        self.shape, self.dtype = tuple(shape), dtype
        self._driver, self._pointer, self._owner = on, pointer, owner

    # ---------------------------------------------------------------------------------------------------------- making

    @classmethod
    def empty(cls, shape: Sequence[int], dtype: DType | str = DType.f32, device: str = "auto") -> Tensor:
        """Memory as it is found: "auto" is a GPU, or the host where there is none."""
        sizes, kind, on = _shape(shape), _dtype(dtype), driver(device)
        block = _Block(on, math.prod(sizes) * kind.itemsize)
        return cls(sizes, kind, on, block.pointer, block)

    @classmethod
    def zeros(cls, shape: Sequence[int], dtype: DType | str = DType.f32, device: str = "auto") -> Tensor:
        made = cls.empty(shape, dtype, device)
        made._driver.clear(made._pointer, made.nbytes)
        return made

    @classmethod
    def ones(cls, shape: Sequence[int], dtype: DType | str = DType.f32, device: str = "auto") -> Tensor:
        return cls.from_numpy(_numpy().ones(_shape(shape), _dtype(dtype).value[0]), device)

    @classmethod
    def from_numpy(cls, array: Any, device: str = "auto") -> Tensor:
        """A copy on the device."""
        dtype = _dtype(str(array.dtype))
        rows = _numpy().ascontiguousarray(array).reshape(array.shape)
        made = cls.empty(rows.shape, dtype, device)
        made._driver.upload(made._pointer, rows.ctypes.data, made.nbytes)
        return made

    @classmethod
    def from_dlpack(cls, given: Any) -> Tensor:
        """The same memory: of a GPU's tensor on that GPU, of one on the processor on the host."""
        taken = _dlpack.Taken(given.__dlpack__() if hasattr(given, "__dlpack__") else given)
        kind, index = taken.device
        if kind not in (_dlpack.CPU, _dlpack.CUDA):
            raise UnsupportedError(f"the tensor lies on a device of DLPack's kind {kind}; CPU and CUDA are taken")
        dtype = next((dtype for dtype in DType if dtype._dlpack == taken.kind), None)
        if dtype is None:
            raise UnsupportedError(f"elements of {taken.kind[1]} bits of DLPack's type {taken.kind[0]} are not taken")
        return cls(taken.shape, dtype, driver("host" if kind == _dlpack.CPU else f"cuda:{index}"), taken.pointer, taken)

    # ------------------------------------------------------------------------------------------------------------ facts

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def device(self) -> str:
        return "host" if self._driver.on_host else f"cuda:{self._driver.index}"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor without dimensions has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"llcuda.core.Tensor(shape={self.shape}, dtype={self.dtype.name}, device={self.device!r})"

    # ----------------------------------------------------------------------------------------------------------- moving

    def numpy(self) -> Any:
        """A copy on the processor."""
        array = _numpy().empty(self.shape, self.dtype.value[0])
        self._driver.download(array.ctypes.data, self._pointer, self.nbytes)
        return array

    def to(self, device: str) -> Tensor:
        """Itself where it lies there already, else a copy."""
        return self if driver(device) is self._driver else Tensor.from_numpy(self.numpy(), device)

    def cpu(self) -> Tensor:
        return self.to("host")

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The same memory; one size may be -1."""
        sizes: list[Any] = list(shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape)
        count = math.prod(self.shape)
        if sizes.count(-1) == 1:
            known = math.prod(size for size in sizes if size != -1)
            sizes[sizes.index(-1)] = count // known if known else 0
        if math.prod(_shape(sizes)) != count:
            raise UsageError(f"{self.shape} cannot become {tuple(shape)}: there are {count} elements")
        return Tensor(_shape(sizes), self.dtype, self._driver, self._pointer, self._owner)

    def contiguous(self) -> Tensor:
        """Itself: a tensor's rows are always in order."""
        return self

    def __matmul__(self, other: Tensor) -> Tensor:
        return matmul(self, other)

    # ---------------------------------------------------------------------------------------------------------- sharing

    def __dlpack_device__(self) -> tuple[int, int]:
        return (_dlpack.CPU, 0) if self._driver.on_host else (_dlpack.CUDA, self._driver.index)

    def __dlpack__(self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None,
                   copy: bool | None = None) -> Any:
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(f"the tensor lies on {self.device}; copy it there first")
        if copy:
            raise BufferError("the memory is shared; copy it where it is taken")
        self._driver.synchronize()
        return _dlpack.capsule(self._owner, self._pointer, self.shape, self.dtype._dlpack, self.__dlpack_device__())

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self._driver.on_host:
            raise AttributeError("the tensor lies on the host, not on a GPU")
        self._driver.synchronize()
        return {"shape": self.shape, "typestr": _numpy().dtype(self.dtype.value[0]).str, "strides": None,
                "data": (self._pointer, False), "version": 3}


class _Block:
    """Memory of a device, as long as somebody has it."""

    def __init__(self, on: Driver, size: int) -> None:
        self.pointer = on.allocate(size)
        weakref.finalize(self, on.free, self.pointer).atexit = False  # the process's end frees it


def _shape(given: Any) -> tuple[int, ...]:
    sizes = (given,) if isinstance(given, int) else tuple(given)
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or math.prod(sizes) >= 1 << 47:
        raise UsageError(f"{sizes} is no shape; sizes are whole numbers from 0 on")
    return sizes


# --------------------------------------------------------------------------------------------------------------
# products


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """a b of two matrices, f32 or f16, with sums in f32: by cuBLAS on a GPU, by numpy on the host."""
    if a.ndim != 2 or b.ndim != 2:
        raise UsageError(f"{a.shape} and {b.shape} are multiplied; two matrices are wanted (batched_matmul takes more)")
    return batched_matmul(a.reshape(1, *a.shape), b.reshape(1, *b.shape)).reshape(a.shape[0], b.shape[1])


def batched_matmul(a: Tensor, b: Tensor) -> Tensor:
    """The products of as many matrices: (count, m, k) and (count, k, n)."""
    if a.ndim != 3 or b.ndim != 3 or a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise UsageError(f"{a.shape} and {b.shape} cannot be multiplied; (count, m, k) and (count, k, n) are wanted")
    if a.dtype is not b.dtype or a.dtype not in (DType.f32, DType.f16):
        raise UnsupportedError(f"{a.dtype.name} and {b.dtype.name} are multiplied; both have to be f32, or both f16")
    if a._driver is not b._driver:
        raise UsageError(f"the factors lie on {a.device} and on {b.device}; move one with to()")
    count, m, k = a.shape
    n = b.shape[2]
    product = Tensor.zeros((count, m, n), a.dtype, a.device)
    if 0 in (count, m, k, n):
        return product
    if a._driver.on_host:
        a._driver.synchronize()
        views = [_view(tensor) for tensor in (a, b, product)]
        views[2][...] = _numpy().matmul(views[0].astype("float32"), views[1].astype("float32"))
    else:
        cublas(a._driver).multiply(a.dtype.name, (count, m, k, n), a._pointer, b._pointer, product._pointer)
    return product


def _view(tensor: Tensor) -> Any:
    """numpy's, of a tensor on the host."""
    bytes_of = (ctypes.c_uint8 * tensor.nbytes).from_address(tensor._pointer)
    return _numpy().frombuffer(bytes_of, tensor.dtype.value[0]).reshape(tensor.shape)
