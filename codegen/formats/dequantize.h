// SPDX-License-Identifier: Apache-2.0
// Stored blocks to f32, one scalar codec per encoding: the truth that repackers and kernels are compared with.
#pragma once

#include <cstddef>

#include "codegen/formats/tensor_type.h"

namespace llcuda::formats {

/// Whether `dequantizeRow` knows the encoding.
bool canDequantize(TensorType type);

/// Writes `elements` values; `blocks` are the bytes of so many elements, at any alignment. `elements` is a multiple of
/// the encoding's block and the encoding one that `canDequantize`. The values are those of ggml's scalar code, bit for
/// bit (a NaN may have another payload).
void dequantizeRow(TensorType type, const std::byte* blocks, std::size_t elements, float* out);

} // namespace llcuda::formats
