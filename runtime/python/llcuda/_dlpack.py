# SPDX-License-Identifier: Apache-2.0
"""DLPack 0.x capsules by ctypes: memory of a device between libraries, without a copy."""
from __future__ import annotations

import ctypes
import itertools
from typing import Any

from .errors import UnsupportedError, UsageError

CPU, CUDA = 1, 2
_NAME, _USED = b"dltensor", b"used_dltensor"


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64)]


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


_api = ctypes.pythonapi
_new = _api.PyCapsule_New
_new.restype, _new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_pointer = _api.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_rename = _api.PyCapsule_SetName
_rename.restype, _rename.argtypes = ctypes.c_int, [ctypes.py_object, ctypes.c_char_p]
_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
# By address of PyCapsule objects that are being destroyed: without a reference to them.
_is_valid_at = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_IsValid", _api))
_pointer_at = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))

_handed_out: dict[int, tuple[Any, ...]] = {}  # what lives until its taker calls the deleter
_numbers = itertools.count(1)


def _let_go(address: int) -> None:
    _handed_out.pop(_Managed.from_address(address).context, None)


def _destroy(capsule: int) -> None:
    if _is_valid_at(capsule, _NAME):  # nobody took it
        _let_go(_pointer_at(capsule, _NAME))


_deleter, _destructor = _Deleter(_let_go), _Destructor(_destroy)


def capsule(owner: Any, pointer: int, shape: tuple[int, ...], kind: tuple[int, int], device: tuple[int, int]) -> Any:
    """A tensor in order of its rows; `owner` is kept until whoever takes it lets it go."""
    sizes = (ctypes.c_int64 * len(shape))(*shape)
    number = next(_numbers)
    managed = _Managed(_Tensor(pointer, *device, len(shape), *kind, 1, sizes, None, 0), number,
                       ctypes.cast(_deleter, ctypes.c_void_p))
    _handed_out[number] = (owner, sizes, managed)
    return _new(ctypes.addressof(managed), _NAME, ctypes.cast(_destructor, ctypes.c_void_p))


class Taken:
    """What another library's capsule holds, until this is forgotten."""

    def __init__(self, given: Any) -> None:
        try:
            address = _pointer(given, _NAME)
        except ValueError:
            raise UsageError("the capsule is no DLPack tensor, or was taken already") from None
        self._managed = _Managed.from_address(address)
        _rename(given, _USED)
        tensor = self._managed.tensor
        self.shape = tuple(tensor.shape[i] for i in range(tensor.ndim))
        self.kind = (tensor.code, tensor.bits)
        self.device = (tensor.device_type, tensor.device_id)
        self.pointer = (tensor.data or 0) + tensor.byte_offset
        step = 1
        for i in reversed(range(tensor.ndim)):
            if tensor.strides and self.shape[i] > 1 and tensor.strides[i] != step:
                raise UnsupportedError("the tensor's rows are not in order; make it contiguous first")
            step *= self.shape[i]
        if tensor.lanes != 1:
            raise UnsupportedError(f"the tensor has elements of {tensor.lanes} lanes")

    def __del__(self) -> None:
        managed = getattr(self, "_managed", None)
        if managed is not None and managed.deleter:
            _Deleter(managed.deleter)(ctypes.addressof(managed))
