// SPDX-License-Identifier: Apache-2.0
// y = weight . x + residual (+ bias) as `linear`; then the last block to arrive norms the rows of y as `rms_norm`. With
// kPostNorm: y = residual + rms_norm(weight . x (+ bias)) * postScale, by that block too
//
//   launch    grid (ceil(kOutputs / Tile::kBlockRows)), block (32 * Tile::kWarps): codegen/spec/decode_tile.cpp
//   weight, inputs, bias, residual, y   as `linear`; kOutputs is a multiple of 32
//   scale     [kOutputs] f32, 16-byte aligned; postScale as it, not read without kPostNorm
//   product   [kInputs][kOutputs] f32, only with kPostNorm: weight . x before it is normed; not the residual
//   arrivals  one word, zero before and after the launch
//   output    the normed rows: f32 rows, int8 rows, or both; not y
//   sm_75     saves a launch; the norm runs in one block when the others have left
#pragma once

#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/linear/linear.cuh"
#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

template <WeightLayout kLayout, int kColumns, int kOutputs, int kInputs, typename Tile, bool kBias, bool kPostNorm,
          bool kF32, bool kInt8>
LLCUDA_DEVICE void linearResidualNorm(const uint8_t* weight, const float* x, const int8_t* xCodes,
                                      const float2* xScales, const float* bias, const float* residual,
                                      const float* postScale, const float* scale, uint32_t* arrivals, float* product,
                                      float* y, float* normed, int8_t* normedCodes, float2* normedScales, float eps) {
  float* made = kPostNorm ? product : y;
  linear<kLayout, kColumns, kOutputs, kInputs, Tile, kBias, !kPostNorm>(weight, x, xCodes, xScales, bias, residual,
                                                                        made);
  if (!arriveLast(arrivals, gridDim.x))
    return;
  constexpr int kThreads = Tile::kWarps * kWarpSize;
  const RowOutput<RowForms{.f32 = kF32, .int8 = kInt8}> output = {normed, normedCodes, normedScales};
  const float4* fours = reinterpret_cast<const float4*>(made);
  const auto load = [&](int r, int i) { return loadCoherent(fours + r * (kOutputs / 4) + i); };
  if constexpr (kPostNorm) {
    const float4* stream = reinterpret_cast<const float4*>(residual);
    postNormRows<kOutputs, kThreads, kInputs>(
        load, postScale, [&](int r, int i) { return stream[r * (kOutputs / 4) + i]; }, scale, eps, y, output);
  } else {
    normRows<kOutputs, kThreads, kInputs>(load, scale, eps, output);
  }
}

} // namespace llcuda
