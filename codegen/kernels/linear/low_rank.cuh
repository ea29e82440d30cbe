// SPDX-License-Identifier: Apache-2.0
// low[r][i] = sum over k of x[r][k] * a[i][k] for 1 ... 8 rows: the inner half of an adapter's low-rank product
//
//   launch    grid (rank / kLowRankRows), block (kThreads); numbers from codegen/spec/low_rank_spec.cpp
//   a         blob of f16_rows, rank x k, 256-byte aligned
//   x         [m][k] f32, 16-byte aligned
//   low       [m][rank] f32
//   numerics  f32: a row's bits are the same for any number of rows
//   sm_75     a is small and has few rows, so a block takes four of them and all its warps share the inputs: a load of
//             a warp is eight runs of 64 bytes
#pragma once

#include "codegen/kernels/linear/dense_rows.cuh"

namespace llcuda {

struct LowRankShape {
  int m, rank, k;
};

constexpr int kLowRankRows = 4; ///< of a, that a block multiplies

template <LowRankShape kShape, int kThreads>
LLCUDA_DEVICE void lowRank(const uint8_t* a, const float* x, float* low) {
  using Traits = WeightTraits<WeightLayout::kF16Rows, kShape.k>;
  constexpr int kM = kShape.m, kWarps = kThreads / kWarpSize, kLoad = kWarpSize / kLowRankRows;
  constexpr int kGranules = kShape.k / Traits::kUnit, kTurns = ceilDivide(kGranules, kLoad * kWarps);
  LLCUDA_SHARED(float, partials, kWarps* kM* kLowRankRows);
  const int firstRow = static_cast<int>(blockIdx.x) * kLowRankRows, row = laneId() % kLowRankRows;
  const WeightPlanes planes = planesOf<WeightLayout::kF16Rows, kShape.k>(a, kShape.rank);
  float sums[kM] = {};
  LLCUDA_UNROLL
  for (int turn = 0; turn < kTurns; ++turn) {
    const int granule = (turn * kWarps + warpId()) * kLoad + laneId() / kLowRankRows;
    if (kGranules % (kLoad * kWarps) == 0 || granule < kGranules) {
      const auto unit = Traits::load(planes, firstRow + row, granule);
      LLCUDA_UNROLL
      for (int b = 0; b < kM; ++b)
        sums[b] = Traits::dot(unit, Traits::loadInput({x, nullptr, nullptr}, b, granule), sums[b]);
    }
  }
  LLCUDA_UNROLL
  for (int b = 0; b < kM; ++b) {
    LLCUDA_UNROLL
    for (int mask = kWarpSize / 2; mask >= kLowRankRows; mask /= 2) sums[b] += shuffleXor(sums[b], mask);
    if (laneId() < kLowRankRows)
      partials[(warpId() * kM + b) * kLowRankRows + row] = sums[b];
  }
  syncThreads();
  if (const int place = static_cast<int>(threadIdx.x); place < kM * kLowRankRows) {
    float sum = partials[place];
    LLCUDA_UNROLL
    for (int w = 1; w < kWarps; ++w) sum += partials[w * kM * kLowRankRows + place];
    low[place / kLowRankRows * kShape.rank + firstRow + place % kLowRankRows] = sum;
  }
}

} // namespace llcuda
