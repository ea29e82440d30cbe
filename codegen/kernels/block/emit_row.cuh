// SPDX-License-Identifier: Apache-2.0
// A row of results as f32, as an int8 row, or as both.
#pragma once

#include "codegen/kernels/block/quantize_row.cuh"

namespace llcuda {

/// In which forms rows are emitted.
struct RowForms {
  bool f32 = false;
  bool int8 = false;
};

template <RowForms kForms>
struct RowOutput {
  static constexpr bool kF32 = kForms.f32, kInt8 = kForms.int8;
  float* y;       ///< [columns], 16-byte aligned; not used without kF32
  int8_t* codes;  ///< [columns], 4-byte aligned; not used without kInt8
  float2* scales; ///< [columns / 32]; not used without kInt8

  /// Where row `row` of rows of `columns` goes.
  LLCUDA_DEVICE RowOutput row(int row, int columns) const {
    return {kF32 ? y + row * columns : y, kInt8 ? codes + row * columns : codes,
            kInt8 ? scales + row * (columns / kRowBlock) : scales};
  }

  /// Stores elements 4 * four ... + 3. All lanes of a warp call, with consecutive numbers from a multiple of 8 on;
  /// those with `valid` false store nothing.
  LLCUDA_DEVICE void store(int four, float4 v, bool valid) const {
    if (kF32 && valid)
      reinterpret_cast<float4*>(y)[four] = v;
    if (kInt8)
      quantizeFour(v, valid, codes + 4 * four, scales + four / 8);
  }
};

} // namespace llcuda
