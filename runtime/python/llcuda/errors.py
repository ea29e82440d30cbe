# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, by what the caller can do about it. The text is the library's or the tool's sentence."""
from __future__ import annotations


class Error(RuntimeError):
    """`status` is an llcuda_status, `exit_code` what the tools end with for it."""

    status = 8

    @property
    def exit_code(self) -> int:
        return min(self.status, 8)


class UsageError(Error, ValueError):
    """An argument or option is wrong."""

    status = 1


class BadInputError(Error, ValueError):
    """A file is damaged or is not what it claims to be."""

    status = 2


class UnsupportedError(Error, NotImplementedError):
    """The input is sound, this version does not handle it."""

    status = 3


class SelfCheckError(Error):
    """The engine ran and its values are not the recorded ones."""

    status = 4


class NoDeviceError(Error):
    """No GPU that fits the engine."""

    status = 5


class OutOfMemoryError(Error, MemoryError):
    """Host or device memory does not suffice."""

    status = 6


class CancelledError(Error):
    """It was cancelled, or the engine was closed meanwhile."""

    status = 7


class InternalError(Error):
    """A call of the driver or of the operating system failed."""

    status = 8


class BusyError(Error):
    """As many requests as may wait do; later it may work."""

    status = 9


_CLASSES: dict[int, type[Error]] = {
    kind.status: kind
    for kind in (UsageError, BadInputError, UnsupportedError, SelfCheckError, NoDeviceError, OutOfMemoryError,
                 CancelledError, InternalError, BusyError)
}


def error_of(status: int, message: str) -> Error:
    return _CLASSES.get(status, InternalError)(message)
