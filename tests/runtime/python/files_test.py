# SPDX-License-Identifier: Apache-2.0
"""llcuda.gguf_parser and llcuda.quantization. MODEL is a tiny GGUF file."""
import array
import hashlib
import os
import random
import struct
import tempfile
import unittest
from pathlib import Path

import gguf
import llcuda
import numpy
from llcuda.gguf_parser import GGUFReader
from llcuda.quantization import dynamic_values, nf4_values, quantize_nf4

MODEL = Path(os.environ["MODEL"])


class GgufTest(unittest.TestCase):
    def test_as_the_gguf_package(self):
        other = gguf.GGUFReader(MODEL)
        with GGUFReader(MODEL) as file:
            self.assertEqual(file.version, 3)
            stated = {key: field.contents() for key, field in other.fields.items() if not key.startswith("GGUF.")}
            self.assertEqual(dict(file.metadata), stated)
            self.assertEqual(list(file.tensors), [tensor.name for tensor in other.tensors])
            for tensor in other.tensors:
                found = file.tensors[tensor.name]
                self.assertEqual((found.shape, found.type, found.elements, found.offset, found.nbytes),
                                 (tuple(map(int, tensor.shape)), tensor.tensor_type.name.lower(), tensor.n_elements,
                                  tensor.data_offset, tensor.n_bytes))
                with file.get_tensor_data(tensor.name) as data:
                    self.assertEqual(bytes(data), tensor.data.tobytes())
            with self.assertRaises(KeyError):
                file.get_tensor_data("no.such.tensor")

    def damaged(self, contents):
        """Opens; what is wrong is an error that names the file."""
        with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
            file.write(contents)
            file.flush()
            try:
                GGUFReader(file.name).close()
            except llcuda.Error as error:
                self.assertTrue(str(error).startswith(file.name), error)
                return str(error)
        return None

    def test_every_end_is_an_error(self):
        whole = MODEL.read_bytes()
        with GGUFReader(MODEL) as file:
            last = max(tensor.offset + tensor.nbytes for tensor in file.tensors.values())
        chance = random.Random(7)
        for size in [*range(64), *(chance.randrange(last) for _ in range(200)), last - 1]:
            self.assertIsNotNone(self.damaged(whole[:size]), size)
        self.assertIsNone(self.damaged(whole[:last]))

    def test_damaged_bytes(self):
        whole = MODEL.read_bytes()
        with GGUFReader(MODEL) as file:
            head = min(tensor.offset for tensor in file.tensors.values())
        chance = random.Random(7)
        for _ in range(500):
            changed = bytearray(whole)
            for place in (chance.randrange(head) for _ in range(chance.choice((1, 8)))):
                changed[place] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
            self.damaged(changed)  # nothing but an error of ours

    def test_lengths_that_lie(self):
        header = struct.pack("<4sI", b"GGUF", 3)
        text = struct.pack("<Q", 1) + b"k"
        for body, words in (
            (struct.pack("<qq", 0, 1 << 40), "claims 1099511627776 metadata entries"),
            (struct.pack("<qq", -1, 0), "claims -1 tensors"),
            (struct.pack("<qq", 0, 1) + struct.pack("<Q", 1 << 62) + b"x" * 20, "a text of 4611686018427387904 bytes"),
            (struct.pack("<qq", 0, 1) + text + struct.pack("<iiQ", 9, 4, 1 << 60), "elements and 0 bytes are left"),
            (struct.pack("<qq", 0, 1) + text + struct.pack("<iiQ", 9, 8, 1 << 60), "elements and 0 bytes are left"),
            (struct.pack("<qq", 0, 1) + text + struct.pack("<iiQ", 9, 9, 1) + b"x" * 8, "array of arrays"),
            (struct.pack("<qq", 0, 1) + text + struct.pack("<iI", 99, 0), "type 99, which GGUF does not define"),
        ):
            self.assertIn(words, self.damaged(header + body))
        self.assertIn("version 4", self.damaged(struct.pack("<4sIqq", b"GGUF", 4, 0, 0)))
        self.assertIn("starts with b'PK", self.damaged(b"PK\x03\x04" + b"x" * 30))


def exact_values(count):
    """Multiples of 2^-10, whose sums have no rounding."""
    return array.array("f", [((i * 7919 + i // 64 * 131) % 2003 - 1001) / 1024 for i in range(count)])


def digest(data):
    return hashlib.sha256(bytes(data)).hexdigest()[:16]


class QuantizeTest(unittest.TestCase):
    # What bitsandbytes 0.50.2 makes of the same 600 blocks; unsloth_saving.py compares random ones.
    def test_as_bitsandbytes(self):
        values = exact_values(64 * 600)
        plain, nested = quantize_nf4(values), quantize_nf4(values, double_quant=True)
        self.assertEqual((digest(plain.packed), digest(plain.absmax)), ("5a2caffc4262f9bf", "bb00a76690e0ac17"))
        self.assertEqual(digest(nested.packed), "5a2caffc4262f9bf")
        self.assertEqual((digest(nested.absmax), digest(nested.nested_absmax), nested.offset),
                         ("c9e44ecd7430e4ca", "36a682624f76fe04", 0.9680680632591248))

    def test_what_is_given(self):
        values = exact_values(65 * 33)
        flat = quantize_nf4(values)
        matrix = numpy.array(values, numpy.float32).reshape(65, 33)
        for given in (matrix, numpy.asfortranarray(matrix), matrix.astype(numpy.float16)):
            packed = quantize_nf4(given)
            self.assertEqual((packed.packed, packed.absmax), (flat.packed, flat.absmax))
            self.assertEqual((packed.shape, packed.dtype), ((65, 33), str(given.dtype)))
        with self.assertRaisesRegex(llcuda.UnsupportedError, "int32"):
            quantize_nf4(numpy.zeros(64, numpy.int32))
        with self.assertRaisesRegex(llcuda.UsageError, "format 'd'"):
            quantize_nf4(array.array("d", [1.0]))
        with self.assertRaisesRegex(llcuda.UsageError, "power of two"):
            quantize_nf4(values, blocksize=96)
        with self.assertRaisesRegex(llcuda.BadInputError, "value 1 is nan"):
            quantize_nf4(array.array("f", [0.0, float("nan")]))
        self.assertEqual(quantize_nf4(array.array("f"), double_quant=True).packed, b"")

    # A value is at most half the widest step away, and nested magnitudes a 256th of theirs besides.
    def test_values_come_back(self):
        values = exact_values(64 * 40)
        table = nf4_values()
        step = max(b - a for a, b in zip(table, table[1:])) / 2
        for nested, more in ((False, 1e-6), (True, 0.02)):
            packed = quantize_nf4(values, double_quant=nested)
            self.assertEqual(packed.nested, nested)
            for given, found in zip(values, packed.dequantize()):
                self.assertLessEqual(abs(given - found), step + more)
        self.assertEqual(sorted(dynamic_values()), dynamic_values())

    def test_state_dict(self):
        state = quantize_nf4(exact_values(128), double_quant=True).state_dict("w")
        self.assertEqual(list(state), ["w", "w.absmax", "w.quant_map", "w.nested_absmax", "w.nested_quant_map",
                                       "w.quant_state.bitsandbytes__nf4"])
        self.assertEqual(state["w"].shape, (64, 1))
        self.assertIn(b'"nested_blocksize": 256', state["w.quant_state.bitsandbytes__nf4"].tobytes())


if __name__ == "__main__":
    unittest.main()
