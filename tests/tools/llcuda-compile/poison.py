# SPDX-License-Identifier: Apache-2.0
"""poison.py MODEL.gguf TENSOR INDEX VALUE: writes a value into an f32 tensor of a GGUF file."""
import sys

import gguf

path, name, index, value = sys.argv[1:]
reader = gguf.GGUFReader(path, "r+")
tensor = next(tensor for tensor in reader.tensors if tensor.name == name)
tensor.data[int(index)] = float(value)
reader.data.flush()
