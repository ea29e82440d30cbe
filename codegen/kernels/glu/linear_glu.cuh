// SPDX-License-Identifier: Apache-2.0
// y[r][n] = activation(weight . x[r])[n] * up[r][n] for 1 ... 8 rows
//
//   weight, x, launch, numerics   decode_linear.cuh
//   up        rows of kN, or some columns of wider rows; f32, 16-byte aligned
//   output    f32 rows, int8 rows, or both; int8 needs kN in multiples of 32
#pragma once

#include "codegen/kernels/block/row_view.cuh"
#include "codegen/kernels/glu/activation.cuh"
#include "codegen/kernels/glu/gated_rows.cuh"
#include "codegen/kernels/linear/decode_linear.cuh"

namespace llcuda {

/// activation(product) * up, in the forms wanted.
template <LinearShape kShape, Activation kActivation, RowView kUp, RowForms kForms>
struct TimesRows {
  static_assert(!kForms.int8 || kShape.n % kRowBlock == 0, "whole int8 blocks");
  static_assert(kForms.order == fewRowsOrder(kShape.m) || !kForms.int8, "few rows");
  static constexpr int kItemRows = kGatedItemRows<kForms>;
  const float* up;
  RowOutput<kForms> output;

  struct Early {}; // what is gated is read late: loops of four-bit weights have no registers for it
  template <typename Part>
  LLCUDA_DEVICE Early load(const Part&, const SumItem&) const {
    return {};
  }
  template <typename Part>
  LLCUDA_DEVICE void store(const Part&, const SumItem& item, const float* sums, const Early&) const {
    const float* from = up + placeOf<kUp, kShape.n>(item.b, item.valid ? item.row : 0);
    storeGated(output.row(item.b, kShape.n), item.row, item.valid,
               [&](int r) { return gated<kActivation>(sums[r], loadReadOnly(from + r)); });
  }
  template <int kThreads, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part&, uint32_t) const {}
};

template <WeightLayout kWeight, LinearShape kShape, DecodeCut kCut, Activation kActivation, RowView kUp,
          RowForms kForms>
LLCUDA_DEVICE void linearGlu(const uint8_t* weight, const float* x, const int8_t* xCodes, const float2* xScales,
                             const float* up, float* y, int8_t* codes, float2* scales) {
  decodeLinear<kCut>(OnePart<kWeight, kShape>{weight, nullptr, nullptr}, {x, xCodes, xScales},
                     TimesRows<kShape, kActivation, kUp, kForms>{up, {y, codes, scales}});
}

} // namespace llcuda
