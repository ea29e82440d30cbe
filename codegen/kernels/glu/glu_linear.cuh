// SPDX-License-Identifier: Apache-2.0
// y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n] for 1 ... 8 rows
//
//   launch    grid (ceil(kOutputs / Tile::kBlockRows)), block (32 * Tile::kWarps): codegen/spec/decode_tile.cpp
//   gate, up  blobs of kOutputs x kColumns, each in its layout
//   inputs    int8 rows, f32 rows or both, as the layouts read
//   output    f32 rows, int8 rows, or both; int8 needs Tile::kBlockRows and kOutputs in multiples of 32
//   numerics  as `linear` and `glu`
//   sm_75     a group reads its rows of both weights, so gate and up meet in registers
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/glu/activation.cuh"
#include "codegen/kernels/linear/linear.cuh"

namespace llcuda {

/// Stores the block's [kInputs][kBlockRows] results as int8 rows. All threads call.
template <typename Tile, int kOutputs, int kInputs>
LLCUDA_DEVICE void storeInt8Tile(const float* tile, int8_t* codes, float2* scales) {
  constexpr int kFours = kInputs * Tile::kBlockRows / 4, kThreads = Tile::kWarps * kWarpSize;
  LLCUDA_UNROLL
  for (int i0 = 0; i0 < kFours; i0 += kThreads) {
    if (i0 + warpId() * kWarpSize >= kFours)
      return; // the whole warp
    const int i = i0 + threadIdx.x;
    const int input = i / (Tile::kBlockRows / 4);
    const int column = blockIdx.x * Tile::kBlockRows + i % (Tile::kBlockRows / 4) * 4;
    const bool valid = i < kFours && column < kOutputs;
    const int at = input * kOutputs + column;
    quantizeFour(reinterpret_cast<const float4*>(tile)[i < kFours ? i : 0], valid, codes + at, scales + at / 32);
  }
}

/// Sums of gate and up, sums[0 or 1][r][b], in every lane of the group.
template <WeightLayout kGate, WeightLayout kUp, int kColumns, int kOutputs, int kInputs, typename Tile>
LLCUDA_DEVICE void gateAndUpRows(const uint8_t* gate, const uint8_t* up, const InputRows& inputs, int firstRow,
                                 float (&sums)[2 * Tile::kRows * kInputs]) {
  constexpr int kSums = Tile::kRows * kInputs;
  const WeightPlanes planes[2] = {planesFrom<kGate, kColumns>(gate, kOutputs, firstRow),
                                  planesFrom<kUp, kColumns>(up, kOutputs, firstRow)};
  if constexpr (kGate == kUp) {
    multiplyRows<kGate, kColumns, Tile, kInputs>(planes, inputs, sums);
  } else {
    const WeightPlanes gatePlanes[1] = {planes[0]}, upPlanes[1] = {planes[1]};
    float gateSums[kSums] = {}, upSums[kSums] = {};
    multiplyRows<kGate, kColumns, Tile, kInputs>(gatePlanes, inputs, gateSums);
    multiplyRows<kUp, kColumns, Tile, kInputs>(upPlanes, inputs, upSums);
    LLCUDA_UNROLL
    for (int i = 0; i < kSums; ++i) {
      sums[i] = gateSums[i];
      sums[kSums + i] = upSums[i];
    }
  }
  groupSum<Tile::kLanes>(sums);
}

template <WeightLayout kGate, WeightLayout kUp, int kColumns, int kOutputs, int kInputs, typename Tile,
          Activation kActivation, bool kF32, bool kInt8>
LLCUDA_DEVICE void gluLinear(const uint8_t* gate, const uint8_t* up, const float* x, const int8_t* xCodes,
                             const float2* xScales, float* y, int8_t* codes, float2* scales) {
  static_assert(!kInt8 || (Tile::kBlockRows % 32 == 0 && kOutputs % 32 == 0), "a block makes whole int8 blocks");
  constexpr int kSums = Tile::kRows * kInputs;
  LLCUDA_SHARED(float, tile, kInt8 ? kInputs* Tile::kBlockRows : 4);
  LLCUDA_NO_UNROLL
  for (int round = 0; round < Tile::kRounds; ++round) {
    const GroupRows rows = groupRows<Tile>(blockIdx.x, round, kOutputs);
    float sums[2 * kSums] = {};
    gateAndUpRows<kGate, kUp, kColumns, kOutputs, kInputs, Tile>(gate, up, {x, xCodes, xScales}, rows.first, sums);
    forOwned<Tile, kInputs>(rows.firstOwned, [&](int r, int b) {
      const float value = activate<kActivation>(sums[r * kInputs + b]) * sums[kSums + r * kInputs + b];
      if (kF32)
        y[b * kOutputs + rows.first + r] = value;
      if (kInt8) // kOutputs % 32 == 0: no group moves up in part
        tile[b * Tile::kBlockRows + round * Tile::kRoundRows + Tile::groupRow() + r] = value;
    });
  }
  if (kInt8) {
    syncThreads();
    storeInt8Tile<Tile, kOutputs, kInputs>(tile, codes, scales);
  }
}

} // namespace llcuda
