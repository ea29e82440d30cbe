# SPDX-License-Identifier: Apache-2.0
"""Products of matrices by cuBLAS, which is opened when the first is asked for on a GPU."""
from __future__ import annotations

import ctypes
import functools
import glob
import importlib.util
import os
import threading
from typing import Any

from ._driver import Driver
from .errors import InternalError, UnsupportedError

_MAJORS = (12, 13)  # drivers of the 12 series have 12 alone
_NO_TRANSPOSE, _DEFAULT_ALGORITHM, _COMPUTE_F32 = 0, -1, 68
_TYPES = {"f32": 0, "f16": 2}  # cudaDataType
_Strided = ctypes.c_longlong


def _paths() -> list[str]:
    """PyPI's packages first, which PyTorch brings along, then whatever the loader finds."""
    spec = importlib.util.find_spec("nvidia")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    found = []
    for major in _MAJORS:
        for root in roots:
            found += glob.glob(os.path.join(root, "*", "lib", f"libcublas.so.{major}"))
        found.append(f"libcublas.so.{major}")
    return found


@functools.cache
def library() -> ctypes.CDLL:
    for path in _paths():
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    raise UnsupportedError("cuBLAS is not on this machine; `pip install nvidia-cublas-cu12` brings it")


class Cublas:
    """A handle for one device; one thread at a time is in it."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self._lock = driver, threading.Lock()
        self._handle = ctypes.c_void_p()
        driver.bind()
        self._call("cublasCreate_v2", ctypes.byref(self._handle))
        self._call("cublasSetStream_v2", self._handle, driver.stream)

    @staticmethod
    def _call(function: str, *arguments: Any) -> None:
        code = getattr(library(), function)(*arguments)
        if code != 0:
            raise InternalError(f"{function} says {code}")

    def multiply(self, dtype: str, sizes: tuple[int, int, int, int], a: int, b: int, c: int) -> None:
        """c[i] = a[i] b[i] for `count` matrices of m x k and k x n, row after row; sums are in f32. Columns are rows to
        cuBLAS, so it computes the transposed product of the operands in the other order."""
        count, m, k, n = sizes
        one, zero, kind = ctypes.c_float(1), ctypes.c_float(0), _TYPES[dtype]
        with self._lock:
            self._driver.bind()
            self._call("cublasGemmStridedBatchedEx", self._handle, _NO_TRANSPOSE, _NO_TRANSPOSE, n, m, k,
                       ctypes.byref(one), ctypes.c_void_p(b), kind, n, _Strided(k * n), ctypes.c_void_p(a), kind, k,
                       _Strided(m * k), ctypes.byref(zero), ctypes.c_void_p(c), kind, n, _Strided(m * n), count,
                       _COMPUTE_F32, _DEFAULT_ALGORITHM)


_handles: dict[int, Cublas] = {}
_making = threading.Lock()


def cublas(driver: Driver) -> Cublas:
    with _making:
        if driver.index not in _handles:
            _handles[driver.index] = Cublas(driver)
        return _handles[driver.index]
