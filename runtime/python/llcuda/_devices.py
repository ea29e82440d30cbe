# SPDX-License-Identifier: Apache-2.0
"""What there is to run on."""
from __future__ import annotations

import ctypes

from . import _c
from ._library import call, check_process
from ._types import DeviceInfo
from .errors import UsageError


def devices() -> list[DeviceInfo]:
    """The GPUs of this machine as CUDA numbers them, and the host behind them. Makes no context on any of them."""
    check_process()
    count = ctypes.c_size_t()
    capacity = 8
    while True:
        found = (_c.llcuda_device_info * capacity)()
        found[0].struct_bytes = ctypes.sizeof(_c.llcuda_device_info)
        try:
            call("llcuda_devices", found, capacity, ctypes.byref(count))
        except UsageError:
            if count.value <= capacity:
                raise
            capacity = count.value
            continue
        return [_device(info) for info in found[:count.value]]


def _device(info: _c.llcuda_device_info) -> DeviceInfo:
    on_host = info.device == _c.LLCUDA_DEVICE_HOST
    version = None if on_host else (info.driver_version // 1000, info.driver_version % 1000 // 10)
    return DeviceInfo("host" if on_host else "cuda", info.index, info.name.decode("utf-8", "replace"),
                      (info.compute_major, info.compute_minor), info.multiprocessors, version, info.total_bytes)
