// SPDX-License-Identifier: Apache-2.0
// y = weight . x + residual (+ bias) as `linear`; then the last block to arrive norms the rows of y as `rms_norm`
//
//   launch    grid (ceil(kOutputs / Tile::kBlockRows)), block (32 * Tile::kWarps): codegen/spec/decode_tile.cpp
//   weight, inputs, bias, residual, y   as `linear`; kOutputs is a multiple of 32
//   scale     [kOutputs] f32, 16-byte aligned
//   arrivals  one word, zero before and after the launch
//   output    the normed rows: f32 rows, int8 rows, or both; not y
//   sm_75     saves a launch; the norm runs in one block when the others have left
#pragma once

#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/linear/linear.cuh"
#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

template <WeightLayout kLayout, int kColumns, int kOutputs, int kInputs, typename Tile, bool kBias, bool kF32,
          bool kInt8>
LLCUDA_DEVICE void linearResidualNorm(const uint8_t* weight, const float* x, const int8_t* xCodes,
                                      const float2* xScales, const float* bias, const float* residual,
                                      const float* scale, uint32_t* arrivals, float* y, float* normed,
                                      int8_t* normedCodes, float2* normedScales, float eps) {
  linear<kLayout, kColumns, kOutputs, kInputs, Tile, kBias, true>(weight, x, xCodes, xScales, bias, residual, y);
  if (!arriveLast(arrivals, gridDim.x))
    return;
  const RowOutput<kF32, kInt8> output = {normed, normedCodes, normedScales};
  const float4* fours = reinterpret_cast<const float4*>(y);
  normRows<kOutputs, Tile::kWarps * kWarpSize, kInputs>(
      [&](int r, int i) { return loadCoherent(fours + r * (kOutputs / 4) + i); }, scale, eps, output);
}

} // namespace llcuda
