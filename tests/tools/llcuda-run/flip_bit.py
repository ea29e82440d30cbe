# SPDX-License-Identifier: Apache-2.0
"""A copy of an engine with one bit of a segment flipped: flip_bit.py FROM TO SEGMENT BYTE"""
import struct
import sys

SEGMENTS = ["constants", "weights", "text", "images", "metadata"]

source, target, segment, byte = sys.argv[1:]
with open(source, "rb") as file:
    engine = bytearray(file.read())
offset, size, _ = struct.unpack_from("<QQQ", engine, 16 + 24 * SEGMENTS.index(segment))
assert int(byte) < size
engine[offset + int(byte)] ^= 4
with open(target, "wb") as file:
    file.write(engine)
