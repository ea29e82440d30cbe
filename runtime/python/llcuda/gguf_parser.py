# SPDX-License-Identifier: Apache-2.0
"""GGUF files: what they say and their tensors' bytes, without a copy. Versions 2 and 3, with the limits of
docs/formats.md.

    with GGUFReader("model.gguf") as file:
        print(file.metadata["general.architecture"], file.tensors["token_embd.weight"].shape)
        data = file.get_tensor_data("token_embd.weight")
"""
from __future__ import annotations

import math
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

from ._encodings import ENCODINGS
from .errors import BadInputError, UnsupportedError

_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_MAX_ENTRIES = _MAX_TENSORS = 65536
_MAX_KEY, _MAX_NAME, _MAX_STRING = 65535, 63, 64 << 20
_MAX_ELEMENTS = 1 << 26
_MAX_METADATA = 512 << 20
_MAX_ALIGNMENT = 1 << 20
_MAX_DIMENSIONS = 4


@dataclass(frozen=True)
class GGUFTensor:
    """`shape[0]` is contiguous: a linear of `out` rows and `in` columns has the shape (in, out). `offset` and `nbytes`
    are of its bytes in the file."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    nbytes: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


class GGUFReader:
    """An open file; `close`, or the end of a `with` block, unmaps it. It is read once, front to back, when it is
    opened; nothing is made of a length in it that does not fit into the file.

    version    2 or 3
    metadata   a mapping of keys to numbers, texts, bools and lists of these
    tensors    a mapping of names to GGUFTensor, in the order of the file
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            with open(self.path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < 24:
                    raise BadInputError(f"{self.path}: is no GGUF file: it has {size} bytes")
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise BadInputError(f"{self.path}: cannot be opened: {error.strerror}") from None
        self._place = 0
        try:
            self._read()
        except BaseException:
            self._map.close()
            raise

    def close(self) -> None:
        """Raises BufferError while data of get_tensor_data is in use."""
        self._map.close()

    def __enter__(self) -> GGUFReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get_tensor_data(self, name: str) -> memoryview:
        """The bytes of a tensor, a view of the file. `docs/formats.md` has the blocks of each type."""
        tensor = self.tensors[name]
        return memoryview(self._map)[tensor.offset:tensor.offset + tensor.nbytes]

    # --------------------------------------------------------------------------------------------------------- reading

    def _damaged(self, fact: str) -> NoReturn:
        raise BadInputError(f"{self.path}: {fact}; the file is damaged: download it again")

    def _refused(self, fact: str) -> NoReturn:
        raise UnsupportedError(f"{self.path}: {fact}")

    def _left(self) -> int:
        return len(self._map) - self._place

    def _number(self, code: str, where: str) -> Any:
        form = "<" + code
        if struct.calcsize(form) > self._left():
            self._damaged(f"ends inside {where}")
        value = struct.unpack_from(form, self._map, self._place)[0]
        self._place += struct.calcsize(form)
        return value

    def _text(self, where: str, limit: int) -> str:
        length = self._number("Q", where)
        if length > self._left():
            self._damaged(f"{where} has a text of {length} bytes and {self._left()} are left")
        if length > limit:
            self._refused(f"{where} has a text of {length} bytes; at most {limit} are read")
        self._place += length
        return self._map[self._place - length:self._place].decode("utf-8", "replace")

    def _read(self) -> None:
        if self._map[:4] != b"GGUF":
            raise BadInputError(f"{self.path}: is no GGUF file: it starts with {self._map[:4]!r}")
        self._place = 4
        self.version = self._number("I", "the header")
        if self.version not in (2, 3):
            self._refused(f"is of version {self.version}; versions 2 and 3 are read, of little-endian machines")
        tensors, entries = self._number("q", "the header"), self._number("q", "the header")
        for count, most, what, least in ((entries, _MAX_ENTRIES, "metadata entries", 14),
                                         (tensors, _MAX_TENSORS, "tensors", 24)):
            if count < 0 or count > self._left() // least:
                self._damaged(f"claims {count} {what} and has {self._left()} bytes for them")
            if count > most:
                self._refused(f"has {count} {what}; at most {most} are read")
        metadata: dict[str, Any] = {}
        for i in range(entries):
            self._read_entry(i, metadata)
        self.metadata: Mapping[str, Any] = MappingProxyType(metadata)
        self.tensors: Mapping[str, GGUFTensor] = MappingProxyType(self._read_tensors(tensors))

    def _read_entry(self, index: int, metadata: dict[str, Any]) -> None:
        key = self._text(f"metadata entry {index}", _MAX_KEY)
        where = f"metadata entry {index} ({key})"
        if not key or key in metadata:
            self._damaged(f"{where} {'repeats a key' if key else 'has an empty key'}")
        metadata[key] = self._value(where, self._kind(where))
        if self._place > _MAX_METADATA:
            self._refused(f"has more than {_MAX_METADATA} bytes of metadata, reached in {where}")

    def _kind(self, where: str) -> int:
        kind = int(self._number("i", where))
        if kind not in _NUMBERS and kind not in (_STRING, _ARRAY):
            self._damaged(f"{where} has the type {kind}, which GGUF does not define")
        return kind

    def _value(self, where: str, kind: int) -> Any:
        if kind == _STRING:
            return self._text(where, _MAX_STRING)
        if kind != _ARRAY:
            return self._number(_NUMBERS[kind], where)
        kind, count = self._kind(where), self._number("Q", where)
        if kind == _ARRAY:
            self._refused(f"{where} is an array of arrays, which is not read; write it flat")
        size = 8 if kind == _STRING else struct.calcsize("<" + _NUMBERS[kind])
        if count > self._left() // size:
            self._damaged(f"{where} has {count} elements and {self._left()} bytes are left")
        if count > _MAX_ELEMENTS:
            self._refused(f"{where} has {count} elements; at most {_MAX_ELEMENTS} are read")
        if kind == _STRING:
            return self._texts(where, count)
        values = struct.unpack_from(f"<{count}{_NUMBERS[kind]}", self._map, self._place)
        self._place += count * size
        return list(values)

    def _texts(self, where: str, count: int) -> list[str]:
        """A vocabulary has hundreds of thousands: `_text` without what it does for each."""
        data, size, place = self._map, len(self._map), self._place
        length_at = struct.Struct("<Q").unpack_from
        found = []
        for _ in range(count):
            if size - place < 8:
                self._damaged(f"ends inside {where}")
            begin = place + 8
            place = begin + length_at(data, place)[0]
            if place > size or place - begin > _MAX_STRING:
                self._damaged(f"{where} has a text of {place - begin} bytes and {size - begin} are left")
            found.append(data[begin:place].decode("utf-8", "replace"))
        self._place = place
        return found

    def _alignment(self) -> int:
        alignment = self.metadata.get("general.alignment", 32)
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            self._damaged(f"general.alignment is {alignment} and must be a power of two")
        if alignment > _MAX_ALIGNMENT:
            self._refused(f"general.alignment is {alignment}; at most {_MAX_ALIGNMENT} is read")
        return alignment

    def _read_tensors(self, count: int) -> dict[str, GGUFTensor]:
        alignment = self._alignment()
        stated: dict[str, tuple[tuple[int, ...], str, int, int]] = {}
        for i in range(count):
            name = self._text(f"tensor {i}", _MAX_NAME)
            if name in stated:
                self._damaged(f"tensor {i} ({name}) repeats a name")
            stated[name] = self._read_tensor(f"tensor {i} ({name})")
        start = -(-self._place // alignment) * alignment
        found: dict[str, GGUFTensor] = {}
        expected = 0
        for name, (shape, kind, nbytes, offset) in stated.items():
            if offset != expected:
                self._damaged(f"tensor {name} lies at offset {offset} of the data and must lie at {expected}")
            if start + offset + nbytes > len(self._map):
                self._damaged(f"tensor {name} needs {nbytes} bytes and "
                              f"{max(0, len(self._map) - start - offset)} are left")
            found[name] = GGUFTensor(name, shape, kind, start + offset, nbytes)
            expected = -(-(offset + nbytes) // alignment) * alignment
        return found

    def _read_tensor(self, where: str) -> tuple[tuple[int, ...], str, int, int]:
        """Shape, type, bytes, offset in the data."""
        count = self._number("I", where)
        if count > _MAX_DIMENSIONS:
            self._damaged(f"{where} has {count} dimensions; at most {_MAX_DIMENSIONS} are possible")
        shape = [self._number("q", where) for _ in range(count)] or [1]
        number, offset = self._number("i", where), self._number("Q", where)
        if min(shape) < 0 or math.prod(dim or 1 for dim in shape) >= 1 << 63:
            self._damaged(f"{where} has dimensions of {shape}")
        while len(shape) > 1 and shape[-1] == 1:
            shape.pop()
        if number not in ENCODINGS:
            self._refused(f"{where} has the encoding {number}, which this version does not know")
        kind, elements, block = ENCODINGS[number]
        if shape[0] % elements:
            self._damaged(f"{where} has rows of {shape[0]} elements, not a multiple of the {elements} that a block of "
                          f"{kind} holds")
        return tuple(shape), kind, math.prod(shape) // elements * block, offset
