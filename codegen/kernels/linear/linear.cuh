// SPDX-License-Identifier: Apache-2.0
// y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]) for 1 ... 8 rows; with kCap then
// cap * tanh(y / cap), for the logits of a head
//
//   launch    grid (ceil(kOutputs / Tile::kBlockRows)), block (32 * Tile::kWarps): codegen/spec/decode_tile.cpp
//   weight    blob of the layout, 256-byte aligned
//   inputs    int8 rows or f32 rows, as the layout reads; 16-byte aligned
//   bias      [kOutputs] or null
//   residual  [kInputs][kOutputs] or null, may be y
//   y         [kInputs][kOutputs] f32
//   numerics  f32 sums; NMSE against codegen/reference/linear.h on the same (quantised) rows below 1e-11
//   sm_75     reads each byte of the weight once
#pragma once

#include "codegen/kernels/elementwise/softcap.cuh"
#include "codegen/kernels/linear/decode_rows.cuh"

namespace llcuda {

template <WeightLayout kLayout, int kColumns, int kOutputs, int kInputs, typename Tile, bool kBias, bool kResidual,
          bool kCap = false>
LLCUDA_DEVICE void linear(const uint8_t* weight, const float* x, const int8_t* xCodes, const float2* xScales,
                          const float* bias, const float* residual, float* y, float cap = 0.f) {
  const GroupRows rows = groupRows<Tile>(blockIdx.x, kOutputs);
  // What is added starts the sum of the owner: its latency hides behind that of the weights.
  float sums[Tile::kRows * kInputs] = {};
  forOwned<Tile, kInputs>(rows.firstOwned, [&](int r, int b) {
    if (kBias)
      sums[r * kInputs + b] += loadReadOnly(bias + rows.first + r);
    if (kResidual)
      sums[r * kInputs + b] += residual[b * kOutputs + rows.first + r];
  });
  const WeightPlanes planes[1] = {planesFrom<kLayout, kColumns>(weight, kOutputs, rows.first)};
  multiplyRows<kLayout, kColumns, Tile, kInputs>(planes, {x, xCodes, xScales}, sums);
  groupSum<Tile::kLanes>(sums);
  forOwned<Tile, kInputs>(rows.firstOwned, [&](int r, int b) {
    const float sum = sums[r * kInputs + b];
    y[b * kOutputs + rows.first + r] = kCap ? softcapped(sum, cap) : sum;
  });
}

} // namespace llcuda
