// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace llcuda::reference {

inline constexpr size_t kDotRows = 4; ///< weight rows that one call takes

/// y[r * stride + n] = dot<float>(x[r], weights[n]) for n < count <= kDotRows, in the order of codegen/reference/dot.h
/// to the last bit: `x` is [rows][columns], `weights` [kDotRows][columns] of which the first `count` rows count. Uses
/// wider registers where the processor has them, never fused multiply-adds, so the bytes do not depend on the
/// processor.
void dotRows(const float* x, size_t rows, size_t columns, const float* weights, size_t count, float* y, size_t stride);

} // namespace llcuda::reference
