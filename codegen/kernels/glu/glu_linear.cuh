// SPDX-License-Identifier: Apache-2.0
// y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n] for 1 ... 8 rows
//
//   weights, x, launch, numerics   decode_linear.cuh; gate and up are blobs of n x k, each in its layout
//   output    f32 rows, int8 rows, or both; int8 needs Tile::kBlockRows and kN in multiples of 32
//   sm_75     a group reads its rows of both weights, so gate and up meet in registers
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/glu/activation.cuh"
#include "codegen/kernels/linear/decode_linear.cuh"

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
    quantizeFour<RowOrder::kRows>(reinterpret_cast<const float4*>(tile)[i < kFours ? i : 0], valid, codes + at,
                                  &scales[at / 32].x);
  }
}

/// activation(gate) * up, in the forms wanted; int8 by way of shared memory, where whole blocks of 32 meet.
template <LinearShape kShape, Activation kActivation, RowForms kForms>
struct GateRows {
  static constexpr int kItemRows = 1;
  static_assert(kForms.order == RowOrder::kRows, "few rows");
  RowOutput<kForms> output;

  template <typename Tile, int kM>
  static constexpr int tileFloats() {
    static_assert(!kForms.int8 || (Tile::kBlockRows % 32 == 0 && kShape.n % 32 == 0), "whole int8 blocks");
    return kForms.int8 ? kM * Tile::kBlockRows : 4;
  }
  struct Early {};
  template <typename Sums, typename Part>
  LLCUDA_DEVICE Early load(const Part&, int) const {
    return {};
  }
  template <typename Tile, typename Part>
  LLCUDA_DEVICE void store(const Part&, const SumItem& item, const float* sums, const Early&, float* tile) const {
    const float value = activate<kActivation>(sums[0]) * sums[1];
    if (kForms.f32)
      output.y[item.b * kShape.n + item.row] = value;
    if (kForms.int8) // n % 32 == 0: no group moves up in part
      tile[item.b * Tile::kBlockRows + item.tileRow] = value;
  }
  template <typename Tile, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part&, const float* tile) const {
    if (kForms.int8) {
      syncThreads();
      storeInt8Tile<Tile, kShape.n, kM>(tile, output.codes, output.scales);
    }
  }
};

template <GluWeights kWeights, LinearShape kShape, DecodeCut kCut, Activation kActivation, RowForms kForms>
LLCUDA_DEVICE void gluLinear(const uint8_t* gate, const uint8_t* up, const float* x, const int8_t* xCodes,
                             const float2* xScales, float* y, int8_t* codes, float2* scales) {
  decodeLinear<kCut>(GatedPart<kWeights, kShape>{gate, up}, {x, xCodes, xScales},
                     GateRows<kShape, kActivation, kForms>{{y, codes, scales}});
}

} // namespace llcuda
