# SPDX-License-Identifier: Apache-2.0
"""poison.py MODEL.gguf TENSOR INDEX VALUE: writes an element of an f32 tensor, or the scale of a block of q8_0."""
import sys

import gguf
import numpy

path, name, index, value = sys.argv[1:]
reader = gguf.GGUFReader(path, "r+")
tensor = next(tensor for tensor in reader.tensors if tensor.name == name)
if tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0:
    tensor.data.reshape(-1, 34)[int(index), :2] = numpy.array([float(value)], numpy.float16).view(numpy.uint8)
else:
    tensor.data[int(index)] = float(value)
reader.data.flush()
