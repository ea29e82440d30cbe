# SPDX-License-Identifier: Apache-2.0
"""libllcuda.so of this package, opened when it is first needed, and its programs."""
from __future__ import annotations

import ctypes
import functools
import os
from typing import Any

from . import _c
from .errors import InternalError, UsageError, error_of

FOLDER = os.path.dirname(os.path.abspath(__file__))
_process = os.getpid()


@functools.cache
def library() -> ctypes.CDLL:
    folder = os.path.join(FOLDER, "lib")
    try:
        name = next(name for name in os.listdir(folder) if name.startswith("libllcuda.so"))
        opened = ctypes.CDLL(os.path.join(folder, name))
    except (OSError, StopIteration) as error:
        raise InternalError(f"{folder}: has no library that can be loaded ({error}); install llcuda again") from None
    _c.declare(opened)
    return opened


def program(name: str) -> str:
    return os.path.join(FOLDER, "bin", name)


def check_process() -> None:
    """Threads and devices do not survive a fork."""
    if os.getpid() != _process:
        raise UsageError("llcuda was imported before this process was forked, and a device cannot be shared by a fork; "
                         'use the start method "spawn" of multiprocessing, or threads')


def call(name: str, *arguments: Any) -> None:
    """Calls a function whose last parameter is an llcuda_error; raises what it says."""
    error = _c.llcuda_error()
    status = getattr(library(), name)(*arguments, ctypes.byref(error))
    if status != _c.LLCUDA_OK:
        raise error_of(status, error.message.decode("utf-8", "replace"))


def text_of(name: str, *arguments: Any) -> bytes:
    """Calls a function whose last parameters are text, capacity, bytes, error: as often as it needs room."""
    needed = ctypes.c_size_t(0)
    capacity = 4096
    while True:
        room = ctypes.create_string_buffer(capacity)
        error = _c.llcuda_error()
        status = getattr(library(), name)(*arguments, room, capacity, ctypes.byref(needed), ctypes.byref(error))
        if status == _c.LLCUDA_OK:
            return room.raw[:needed.value]
        if status != _c.LLCUDA_USAGE or needed.value <= capacity:
            raise error_of(status, error.message.decode("utf-8", "replace"))
        capacity = needed.value
        needed.value = 0


def sized(struct: type[Any]) -> Any:
    """A struct that the library fills as far as it is known here."""
    made = struct()
    made.struct_bytes = ctypes.sizeof(struct)
    return made
