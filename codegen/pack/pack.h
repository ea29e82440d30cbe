// SPDX-License-Identifier: Apache-2.0
// Tensors of a file to weights as kernels read them (codegen/formats/weight_layout.h), and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codegen/formats/layout_names.h"
#include "codegen/formats/tensor_type.h"
#include "codegen/formats/weight_layout.h"
#include "runtime/base/result.h"

namespace llcuda::pack {

using formats::layoutByName;
using formats::layoutEnumerator;
using formats::layoutFormat;
using formats::layoutName;

/// Bytes of the blob of a weight, a multiple of 16. Refuses columns that are no whole blocks of the layout, and sizes
/// past 2^48.
Result<uint64_t> packedBytes(WeightLayout layout, uint64_t rows, uint64_t columns);

/// Packs [rows][columns] elements of a file. Row r of the weight is row rowOrder[r] of the source, or r when rowOrder
/// is empty. `source` has the bytes of the whole tensor at any alignment, `target` has packedBytes(); bytes between
/// planes become zero. Refuses a pair of layout and encoding that would change values, spans of other sizes, and for
/// s8_planes scales that are not finite.
Result<void> pack(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<const uint32_t> rowOrder,
                  formats::TensorType sourceType, std::span<const std::byte> source, std::span<std::byte> target);

/// The values of a packed weight, [rows][columns]; as exact as the encoding's scalar codec. `blob` has packedBytes().
void unpack(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<const std::byte> blob, float* out);

} // namespace llcuda::pack
