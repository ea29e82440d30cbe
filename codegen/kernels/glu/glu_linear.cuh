// SPDX-License-Identifier: Apache-2.0
// y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n] for 1 ... 8 rows
//
//   weights, x, low, launch, numerics   decode_linear.cuh; gate and up are blobs of n x k, each in its layout
//   output    f32 rows, int8 rows, or both; int8 needs kN in multiples of 32
//   sm_75     warps of a block share gate and up, which meet in shared memory
#pragma once

#include "codegen/kernels/glu/activation.cuh"
#include "codegen/kernels/glu/gated_rows.cuh"
#include "codegen/kernels/linear/decode_linear.cuh"

namespace llcuda {

/// activation(gate) * up, in the forms wanted.
template <LinearShape kShape, Activation kActivation, RowForms kForms>
struct GateRows {
  static_assert(!kForms.int8 || kShape.n % kRowBlock == 0, "whole int8 blocks");
  static_assert(kForms.order == fewRowsOrder(kShape.m) || !kForms.int8, "few rows");
  static constexpr int kItemRows = kGatedItemRows<kForms>;
  RowOutput<kForms> output;

  struct Early {};
  template <typename Part>
  LLCUDA_DEVICE Early load(const Part&, const SumItem&) const {
    return {};
  }
  template <typename Part>
  LLCUDA_DEVICE void store(const Part&, const SumItem& item, const float* sums, const Early&) const {
    storeGated(output.row(item.b, kShape.n), item.row, item.valid,
               [&](int r) { return gated<kActivation>(sums[2 * r], sums[2 * r + 1]); });
  }
  template <int kThreads, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part&, uint32_t) const {}
};

template <GluWeights kWeights, LinearShape kShape, DecodeCut kCut, Activation kActivation, RowForms kForms,
          int kLowRank = 0>
LLCUDA_DEVICE void gluLinear(const uint8_t* gate, const uint8_t* up, const float* x, const int8_t* xCodes,
                             const float2* xScales, float* y, int8_t* codes, float2* scales, const LowRank& low = {}) {
  decodeLinear<kCut, kLowRank>(GatedPart<kWeights, kShape>{gate, up}, {x, xCodes, xScales},
                               GateRows<kShape, kActivation, kForms>{{y, codes, scales}}, low);
}

} // namespace llcuda
