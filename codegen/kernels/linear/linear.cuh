// SPDX-License-Identifier: Apache-2.0
// y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]) for 1 ... 8 rows; with kParts.cap then
// cap * tanh(y / cap), for the logits of a head
//
//   launch    grid (ceil(kN / rows of a block)), block (32 * kCut.warps): codegen/spec/decode_tile.cpp
//   weight    blob of the layout, 256-byte aligned
//   inputs    int8 rows or f32 rows, as the layout reads; 16-byte aligned
//   bias      [kN] or null
//   residual  [kM][kN] or null, may be y
//   y         [kM][kN] f32
//   numerics  f32 sums, to which bias + residual is added: a row's bits are the same in every row of y; NMSE against
//             codegen/reference/linear.h on the same (quantised) rows below 1e-11
//   sm_75     reads each byte of the weight once
#pragma once

#include "codegen/kernels/elementwise/softcap.cuh"
#include "codegen/kernels/linear/decode_rows.cuh"

namespace llcuda {

/// What is done with the product.
struct LinearParts {
  bool bias = false;
  bool residual = false;
  bool cap = false;
};

template <WeightLayout kWeight, LinearShape kShape, DecodeCut kCut, LinearParts kParts>
LLCUDA_DEVICE void linear(const uint8_t* weight, const float* x, const int8_t* xCodes, const float2* xScales,
                          const float* bias, const float* residual, float* y, float cap = 0.f) {
  using Tile = DecodeTile<kCut>;
  constexpr int kM = kShape.m, kN = kShape.n, kK = kShape.k;
  static_assert(Tile::kRounds == 1, "nothing is made of whole blocks");
  const GroupRows rows = groupRows<Tile>(blockIdx.x, 0, kN);
  GroupSums<Tile, kM> sums;
  float added[sums.kOwned] = {};
  if constexpr (kParts.bias || kParts.residual)
    sums.forEach([&](int i, int r, int b) {
      const float fromBias = kParts.bias ? loadReadOnly(bias + rows.first + r) : 0.f;
      const float fromResidual = kParts.residual ? residual[b * kN + rows.first + r] : 0.f;
      added[i] = kParts.bias && kParts.residual ? fromBias + fromResidual : kParts.bias ? fromBias : fromResidual;
    });
  const WeightPlanes planes[1] = {planesFrom<kWeight, kK>(weight, kN, rows.first)};
  multiplyRows<kWeight, kK, Tile, kM>(planes, {x, xCodes, xScales}, sums.all);
  sums.reduce();
  sums.forOwned(rows.firstOwned, [&](int i, int r, int b) {
    const float sum = kParts.bias || kParts.residual ? sums.own[i] + added[i] : sums.own[i];
    y[b * kN + rows.first + r] = kParts.cap ? softcapped(sum, cap) : sum;
  });
}

} // namespace llcuda
