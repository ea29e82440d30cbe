# SPDX-License-Identifier: Apache-2.0
"""A CUDA device through its driver: NVIDIA's, or the package's own on the processor. Opened when it is first needed."""
from __future__ import annotations

import ctypes
import functools
import os
import threading
from typing import Any

from ._library import FOLDER, check_process
from .errors import InternalError, NoDeviceError, OutOfMemoryError, UsageError

_OUT_OF_MEMORY = 2
_NON_BLOCKING = 1


class Driver:
    """One device. Calls come from any thread; work is done in the order of one stream."""

    def __init__(self, index: int, on_host: bool) -> None:
        self.index, self.on_host, self._process = index, on_host, os.getpid()
        self._library = _library(on_host)
        self._device = ctypes.c_int()
        self("cuDeviceGet", ctypes.byref(self._device), index)
        self._context = ctypes.c_void_p()
        self("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), self._device)
        self.stream = ctypes.c_void_p()
        self.bind()
        self("cuStreamCreate", ctypes.byref(self.stream), _NON_BLOCKING)

    def __call__(self, function: str, *arguments: Any) -> None:
        code = getattr(self._library, function)(*arguments)
        if code == 0:
            return
        text = ctypes.c_char_p()
        self._library.cuGetErrorString(code, ctypes.byref(text))
        sentence = f"{function}: {(text.value or b'error %d' % code).decode()}"
        raise (OutOfMemoryError if code == _OUT_OF_MEMORY else InternalError)(sentence)

    def bind(self) -> None:
        """Before calls of a thread that need the device's context. Others may have made theirs the current one."""
        check_process()
        self("cuCtxSetCurrent", self._context)

    def allocate(self, size: int) -> int:
        self.bind()
        pointer = ctypes.c_uint64()
        self("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(max(size, 1)))
        return pointer.value

    def free(self, pointer: int) -> None:
        if os.getpid() != self._process:  # a forked child has no device
            return
        self.bind()
        self.synchronize()  # what was asked for may still use it
        self("cuMemFree_v2", ctypes.c_uint64(pointer))

    def upload(self, pointer: int, address: int, size: int) -> None:
        if self.on_host:
            return self._move(pointer, address, size)
        self.bind()
        self("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(pointer), ctypes.c_void_p(address), ctypes.c_size_t(size),
             self.stream)
        self.synchronize()

    def download(self, address: int, pointer: int, size: int) -> None:
        if self.on_host:
            return self._move(address, pointer, size)
        self.bind()
        self("cuMemcpyDtoHAsync_v2", ctypes.c_void_p(address), ctypes.c_uint64(pointer), ctypes.c_size_t(size),
             self.stream)
        self.synchronize()

    def _move(self, to: int, start: int, size: int) -> None:
        """The host's driver refuses memory that it did not allocate, as DLPack brings along."""
        self.synchronize()
        ctypes.memmove(to, start, size)

    def clear(self, pointer: int, size: int) -> None:
        self.bind()
        self("cuMemsetD8Async", ctypes.c_uint64(pointer), ctypes.c_ubyte(0), ctypes.c_size_t(size), self.stream)

    def synchronize(self) -> None:
        self.bind()
        self("cuStreamSynchronize", self.stream)

    def attribute(self, number: int) -> int:
        value = ctypes.c_int()
        self("cuDeviceGetAttribute", ctypes.byref(value), number, self._device)
        return value.value

    def name(self) -> str:
        text = ctypes.create_string_buffer(256)
        self("cuDeviceGetName", text, len(text), self._device)
        return text.value.decode("utf-8", "replace")

    def total_memory(self) -> int:
        size = ctypes.c_size_t()
        self("cuDeviceTotalMem_v2", ctypes.byref(size), self._device)
        return size.value


@functools.cache
def _library(on_host: bool) -> ctypes.CDLL:
    path = os.path.join(FOLDER, "lib", "libllcuda-hostsim.so") if on_host else "libcuda.so.1"
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise NoDeviceError(f"{path}: cannot be loaded ({error})") from None
    code = library.cuInit(0)
    if code != 0:
        raise NoDeviceError(f"{path}: cuInit says {code}: there is no device that works")
    return library


def device_count(on_host: bool) -> int:
    try:
        library = _library(on_host)
    except NoDeviceError:
        return 0
    count = ctypes.c_int()
    return count.value if library.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0


_lock = threading.Lock()
_drivers: dict[str, Driver] = {}


def driver(device: str) -> Driver:
    """"cuda", "cuda:1", "host", or "auto": a GPU where there is one, else the host."""
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cuda", "host") or (number and not (kind == "cuda" and number.isdigit())):
        raise UsageError(f"device is {device!r}; there are auto, cuda, cuda:N and host")
    if kind == "auto":
        kind = "cuda" if device_count(False) else "host"
    index = int(number or 0)
    if index >= device_count(kind == "host"):
        raise NoDeviceError(f"{device}: there are {device_count(kind == 'host')} such devices")
    with _lock:
        key = f"{kind}:{index}"
        if key not in _drivers:
            _drivers[key] = Driver(index, kind == "host")
        return _drivers[key]
