# SPDX-License-Identifier: Apache-2.0
"""llcuda.core against numpy, on DEVICE."""
import ctypes
import gc
import os
import random
import threading
import unittest

import llcuda
import numpy
from llcuda import _library, core

DEVICE = os.environ["DEVICE"]
TYPES = {"float32": 1e-5, "float16": 2e-3}  # relative to the sums of magnitudes


def values(shape, dtype, seed):
    return numpy.random.default_rng(seed).standard_normal(shape).astype(dtype)


def tensor(array):
    return core.Tensor.from_numpy(array, DEVICE)


class TensorTest(unittest.TestCase):
    def test_round_trip(self):
        chance = random.Random(7)
        for dtype in core.DType:
            for _ in range(10):
                shape = [chance.randrange(9) for _ in range(chance.randrange(4))]
                given = (100 * numpy.random.default_rng(1).random(shape)).astype(dtype.value[0])
                made = tensor(given)
                self.assertEqual((made.shape, made.dtype, made.nbytes), (tuple(shape), dtype, given.nbytes))
                numpy.testing.assert_array_equal(made.numpy(), given)
                numpy.testing.assert_array_equal(made.reshape(-1).numpy(), given.reshape(-1))
                self.assertIs(made.contiguous(), made)
        turned = values((5, 7), "float32", 1).T
        numpy.testing.assert_array_equal(tensor(turned).numpy(), turned)

    def test_filled(self):
        for dtype in ("float32", "f16", core.DType.i32):
            self.assertEqual(core.Tensor.zeros((3, 4), dtype, DEVICE).numpy().sum(), 0)
            self.assertEqual(core.Tensor.ones((3, 4), dtype, DEVICE).numpy().sum(), 12)
        self.assertEqual(core.Tensor.empty(5, device=DEVICE).shape, (5,))

    def test_products(self):
        chance = random.Random(7)
        for dtype, bound in TYPES.items():
            for seed in range(20):
                count, m, k, n = chance.randint(1, 4), *(chance.randint(1, 70) for _ in range(3))
                a, b = values((count, m, k), dtype, seed), values((count, k, n), dtype, seed + 100)
                wanted = a.astype("float64") @ b.astype("float64")
                room = bound * (abs(a).astype("float64") @ abs(b).astype("float64"))
                found = core.batched_matmul(tensor(a), tensor(b)).numpy()
                self.assertTrue((abs(found - wanted) <= room).all(), (dtype, count, m, k, n))
                numpy.testing.assert_allclose((tensor(a[0]) @ tensor(b[0])).numpy(), found[0], rtol=bound, atol=bound)
        empty = core.matmul(tensor(values((3, 0), "float32", 1)), tensor(values((0, 2), "float32", 1)))
        numpy.testing.assert_array_equal(empty.numpy(), numpy.zeros((3, 2)))

    def test_wrong_use(self):
        a = core.Tensor.zeros((2, 3), device=DEVICE)
        for work, words in ((lambda: a @ a, "cannot be multiplied"), (lambda: a.reshape(4, 2), "6 elements"),
                            (lambda: core.batched_matmul(a, a), "are wanted"),
                            (lambda: core.Tensor.zeros((-1,), device=DEVICE), "is no shape"),
                            (lambda: core.Tensor.zeros((2,), "bfloat16", DEVICE), "dtype is bfloat16"),
                            (lambda: core.Tensor.zeros((2,), device="tpu"), "device is 'tpu'"),
                            (lambda: core.matmul(a, core.Tensor.zeros((3, 2), "f16", DEVICE)), "both have to be"),
                            (lambda: tensor(numpy.zeros(2, "complex64")), "dtype is complex64")):
            with self.subTest(words), self.assertRaisesRegex(llcuda.Error, words):
                work()
        with self.assertRaises(llcuda.NoDeviceError):
            core.get_device_properties(4096)
        with self.assertRaises(llcuda.OutOfMemoryError):
            core.Tensor.empty((1 << 46,), "u8", DEVICE)

    def test_device(self):
        properties = core.get_device_properties(DEVICE)
        self.assertTrue(properties.name)
        self.assertGreater(properties.total_memory, 1 << 20)
        self.assertGreater(properties.multi_processor_count, 0)
        self.assertEqual(properties.warp_size, 32)
        self.assertEqual(properties.major == 0, DEVICE == "host")
        self.assertGreaterEqual(core.get_device_count(), int(DEVICE == "cuda"))
        core.synchronize(DEVICE)

    def test_threads(self):
        results = {}

        def work(seed):
            a = values((16, 16), "float32", seed)
            for _ in range(50):
                results[seed] = numpy.allclose((tensor(a) @ tensor(a)).numpy(), a @ a, rtol=1e-4, atol=1e-4)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, dict.fromkeys(range(4), True))


@unittest.skipIf(DEVICE != "host", "numpy shares the host's memory alone")
class HostTest(unittest.TestCase):
    def live_objects(self):
        gc.collect()
        path = os.path.join(_library.FOLDER, "lib", "libllcuda-hostsim.so")
        return ctypes.CDLL(path).llcudaHostsimLiveObjects()

    def test_numpy_shares_the_memory(self):
        made = tensor(values((4, 6), "float32", 1))
        self.assertFalse(hasattr(made, "__cuda_array_interface__"))
        shared = numpy.from_dlpack(made)
        shared_copy, kept = shared.copy(), made.numpy()
        numpy.testing.assert_array_equal(shared_copy, kept)
        del made
        gc.collect()
        numpy.testing.assert_array_equal(shared, kept)  # which keeps it
        array = values((3, 5), "float32", 2)
        taken = core.Tensor.from_dlpack(array)
        array[1, 2] = 77
        self.assertEqual(taken.numpy()[1, 2], 77)
        with self.assertRaisesRegex(llcuda.UnsupportedError, "rows are not in order"):
            core.Tensor.from_dlpack(array.T)
        with self.assertRaisesRegex(llcuda.UnsupportedError, "64 bits"):
            core.Tensor.from_dlpack(array.astype("float64"))
        again = core.Tensor.from_dlpack(taken)
        array[0, 0] = 78
        self.assertEqual(again.numpy()[0, 0], 78)
        self.assertIs(taken.cpu(), taken)

    def test_a_capsule_is_taken_once(self):
        capsule = core.Tensor.zeros((2,), device=DEVICE).__dlpack__()
        core.Tensor.from_dlpack(capsule)
        with self.assertRaisesRegex(llcuda.UsageError, "taken already"):
            core.Tensor.from_dlpack(capsule)

    def test_nothing_is_left(self):
        tensor(values((2, 2), "float32", 1)) @ tensor(values((2, 2), "float32", 1))
        before = self.live_objects()
        for i in range(10000):
            made = core.Tensor.zeros((8,), device=DEVICE)
            if i % 4 == 0:
                capsule = made.__dlpack__()
                if i % 8 == 0:
                    numpy.from_dlpack(made)
                    core.Tensor.from_dlpack(capsule)
                del capsule
        del made
        self.assertEqual(self.live_objects(), before)


if __name__ == "__main__":
    unittest.main()
