// SPDX-License-Identifier: Apache-2.0
// y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n] for 1 ... 8 rows
//
//   launch    grid (ceil(kN / rows of a block)), block (32 * kCut.warps): codegen/spec/decode_tile.cpp
//   gate, up  blobs of kN x kK, each in its layout
//   inputs    int8 rows, f32 rows or both, as the layouts read
//   output    f32 rows, int8 rows, or both; int8 needs Tile::kBlockRows and kN in multiples of 32
//   numerics  as `linear` and `glu`
//   sm_75     a group reads its rows of both weights, so gate and up meet in registers
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/glu/activation.cuh"
#include "codegen/kernels/linear/linear.cuh"

namespace llcuda {

/// Stores the block's [kM][kBlockRows] results as int8 rows. All threads call.
template <typename Tile, int kN, int kM>
LLCUDA_DEVICE void storeInt8Tile(const float* tile, int8_t* codes, float2* scales) {
  constexpr int kFours = kM * Tile::kBlockRows / 4, kThreads = Tile::kWarps * kWarpSize;
  LLCUDA_UNROLL
  for (int i0 = 0; i0 < kFours; i0 += kThreads) {
    if (i0 + warpId() * kWarpSize >= kFours)
      return; // the whole warp
    const int i = i0 + threadIdx.x;
    const int input = i / (Tile::kBlockRows / 4);
    const int column = blockIdx.x * Tile::kBlockRows + i % (Tile::kBlockRows / 4) * 4;
    const bool valid = i < kFours && column < kN;
    const int at = input * kN + column;
    quantizeFour(reinterpret_cast<const float4*>(tile)[i < kFours ? i : 0], valid, codes + at, scales + at / 32);
  }
}

/// Sums of gate and up side by side.
template <GluWeights kWeights, LinearShape kShape, typename Tile>
LLCUDA_DEVICE void gateAndUpRows(const uint8_t* gate, const uint8_t* up, const InputRows& inputs, int firstRow,
                                 GroupSums<Tile, kShape.m, 2>& sums) {
  constexpr int kM = kShape.m, kN = kShape.n, kK = kShape.k;
  constexpr WeightLayout kGate = kWeights.gate, kUp = kWeights.up;
  const WeightPlanes planes[2] = {planesFrom<kGate, kK>(gate, kN, firstRow), planesFrom<kUp, kK>(up, kN, firstRow)};
  if constexpr (kGate == kUp) {
    multiplyRows<kGate, kK, Tile, kM>(planes, inputs, sums.all);
  } else {
    const WeightPlanes gatePlanes[1] = {planes[0]}, upPlanes[1] = {planes[1]};
    GroupSums<Tile, kM> gateSums, upSums;
    multiplyRows<kGate, kK, Tile, kM>(gatePlanes, inputs, gateSums.all);
    multiplyRows<kUp, kK, Tile, kM>(upPlanes, inputs, upSums.all);
    LLCUDA_UNROLL
    for (int i = 0; i < gateSums.kItems; ++i) {
      sums.all[2 * i] = gateSums.all[i];
      sums.all[2 * i + 1] = upSums.all[i];
    }
  }
  sums.reduce();
}

template <GluWeights kWeights, LinearShape kShape, DecodeCut kCut, Activation kActivation, RowForms kForms>
LLCUDA_DEVICE void gluLinear(const uint8_t* gate, const uint8_t* up, const float* x, const int8_t* xCodes,
                             const float2* xScales, float* y, int8_t* codes, float2* scales) {
  using Tile = DecodeTile<kCut>;
  constexpr int kM = kShape.m, kN = kShape.n;
  constexpr bool kF32 = kForms.f32, kInt8 = kForms.int8;
  static_assert(!kInt8 || (Tile::kBlockRows % 32 == 0 && kN % 32 == 0), "a block makes whole int8 blocks");
  LLCUDA_SHARED(float, tile, kInt8 ? kM* Tile::kBlockRows : 4);
  LLCUDA_NO_UNROLL
  for (int round = 0; round < Tile::kRounds; ++round) {
    const GroupRows rows = groupRows<Tile>(blockIdx.x, round, kN);
    GroupSums<Tile, kM, 2> sums;
    gateAndUpRows<kWeights, kShape, Tile>(gate, up, {x, xCodes, xScales}, rows.first, sums);
    sums.forOwned(rows.firstOwned, [&](int i, int r, int b) {
      const float value = activate<kActivation>(sums.own[2 * i]) * sums.own[2 * i + 1];
      if (kF32)
        y[b * kN + rows.first + r] = value;
      if (kInt8) // kN % 32 == 0: no group moves up in part
        tile[b * Tile::kBlockRows + round * Tile::kRoundRows + Tile::groupRow() + r] = value;
    });
  }
  if (kInt8) {
    syncThreads();
    storeInt8Tile<Tile, kN, kM>(tile, codes, scales);
  }
}

} // namespace llcuda
