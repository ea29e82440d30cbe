// SPDX-License-Identifier: Apache-2.0
// f32 rows to stored blocks: what `dequantizeRow` reads back.
#pragma once

#include <cstddef>

#include "codegen/formats/tensor_type.h"

namespace llcuda::formats {

/// Whether `quantizeRow` knows the encoding: f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, q5_k, q6_k, nf4, fp4
/// and their short forms.
bool canQuantize(TensorType type);

/// Whether `quantizeRow` makes something else of values that count more: q4_0, q5_0, q4_k, q5_k, q6_k.
bool heedsImportance(TensorType type);

/// Values of a larger magnitude have no place in the encoding: the f16 range where a scale or the value itself is f16.
float largestMagnitude(TensorType type);

/// Writes `elements` values as blocks; `elements` is a multiple of the encoding's block, the values are finite and not
/// above `largestMagnitude`, `out` has any alignment. The same values give the same bytes on every machine.
///
/// `importance` says of each element how much its squared error counts, in numbers >= 0; nullptr: all count as the
/// encoding has it. An encoding that heeds it searches its scales then.
void quantizeRow(TensorType type, const float* values, std::size_t elements, std::byte* out,
                 const float* importance = nullptr);

} // namespace llcuda::formats
