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
//   numerics  f32 sums, to which bias + residual is added: a row's bits are the same in every row of y; NMSE against codegen/reference/linear.h on the same (quantised) rows below 1e-11
//   sm_75     reads each byte of the weight once
#pragma once

#include "codegen/kernels/elementwise/softcap.cuh"
#include "codegen/kernels/linear/decode_rows.cuh"

namespace llcuda {

template <WeightLayout kLayout, int kColumns, int kOutputs, int kInputs, typename Tile, bool kBias, bool kResidual,
          bool kCap = false>
LLCUDA_DEVICE void linear(const uint8_t* weight, const float* x, const int8_t* xCodes, const float2* xScales,
                          const float* bias, const float* residual, float* y, float cap = 0.f) {
  static_assert(Tile::kRounds == 1, "nothing is made of whole blocks");
  const GroupRows rows = groupRows<Tile>(blockIdx.x, 0, kOutputs);
  OwnedAddends<Tile, kInputs> added;
  if constexpr (kBias || kResidual)
    added.load(rows.firstOwned, [&](int r, int b) {
      const float fromBias = kBias ? loadReadOnly(bias + rows.first + r) : 0.f;
      const float fromResidual = kResidual ? residual[b * kOutputs + rows.first + r] : 0.f;
      return kBias && kResidual ? fromBias + fromResidual : kBias ? fromBias : fromResidual;
    });
  float sums[Tile::kRows * kInputs] = {};
  const WeightPlanes planes[1] = {planesFrom<kLayout, kColumns>(weight, kOutputs, rows.first)};
  multiplyRows<kLayout, kColumns, Tile, kInputs>(planes, {x, xCodes, xScales}, sums);
  groupSum<Tile::kLanes>(sums);
  forOwned<Tile, kInputs>(rows.firstOwned, [&](int r, int b) {
    const float product = sums[r * kInputs + b];
    const float sum = kBias || kResidual ? product + added.of(r) : product;
    y[b * kOutputs + rows.first + r] = kCap ? softcapped(sum, cap) : sum;
  });
}

} // namespace llcuda
