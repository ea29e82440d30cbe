// SPDX-License-Identifier: Apache-2.0
// y = weight . x + residual (+ bias) as `linear`; then the last block to arrive norms the rows of y as `rms_norm`. With
// postNorm: y = residual + rms_norm(weight . x (+ bias)) * postScale, by that block too
//
//   launch    grid (ceil(kN / rows of a block)), block (32 * kCut.warps): codegen/spec/decode_tile.cpp
//   weight, inputs, bias, residual, y   as `linear`; kN is a multiple of 32
//   scale     [kN] f32, 16-byte aligned; postScale as it, not read without postNorm
//   product   [kM][kN] f32, only with postNorm: weight . x before it is normed; not the residual
//   arrivals  one word, zero before and after the launch
//   output    the normed rows: f32 rows, int8 rows, or both; not y
//   sm_75     saves a launch; the norm runs in one block when the others have left
#pragma once

#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/linear/linear.cuh"
#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

struct ResidualNormParts {
  bool bias = false;
  bool postNorm = false;
};

template <WeightLayout kWeight, LinearShape kShape, DecodeCut kCut, ResidualNormParts kParts, RowForms kForms>
LLCUDA_DEVICE void linearResidualNorm(const uint8_t* weight, const float* x, const int8_t* xCodes,
                                      const float2* xScales, const float* bias, const float* residual,
                                      const float* postScale, const float* scale, uint32_t* arrivals, float* product,
                                      float* y, float* normed, int8_t* normedCodes, float2* normedScales, float eps) {
  constexpr int kM = kShape.m, kN = kShape.n;
  float* made = kParts.postNorm ? product : y;
  linear<kWeight, kShape, kCut, LinearParts{.bias = kParts.bias, .residual = !kParts.postNorm}>(
      weight, x, xCodes, xScales, bias, residual, made);
  if (!arriveLast(arrivals, gridDim.x))
    return;
  constexpr int kThreads = kCut.warps * kWarpSize;
  const RowOutput<kForms> output = {normed, normedCodes, normedScales};
  const float4* fours = reinterpret_cast<const float4*>(made);
  const auto load = [&](int r, int i) { return loadCoherent(fours + r * (kN / 4) + i); };
  if constexpr (kParts.postNorm) {
    const float4* stream = reinterpret_cast<const float4*>(residual);
    postNormRows<kN, kThreads, kM>(
        load, postScale, [&](int r, int i) { return stream[r * (kN / 4) + i]; }, scale, eps, y, output);
  } else {
    normRows<kN, kThreads, kM>(load, scale, eps, output);
  }
}

} // namespace llcuda
