// SPDX-License-Identifier: Apache-2.0
// y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]) for 1 ... 8 rows; with kParts.cap then
// cap * tanh(y / cap), for the logits of a head
//
//   weight, x, bias, low, launch, numerics   decode_linear.cuh
//   residual  [kM][kN] or null, may be y
//   y         [kM][kN] f32
#pragma once

#include "codegen/kernels/elementwise/softcap.cuh"
#include "codegen/kernels/linear/decode_linear.cuh"

namespace llcuda {

/// What is done with the product.
struct LinearParts {
  bool bias = false;
  bool residual = false;
  bool cap = false;
};

/// Rows of a part to its y.
template <LinearParts kParts>
struct StoreRows {
  static constexpr int kItemRows = 1;
  const float* residual;
  float cap = 0.f;

  struct Early {
    float added;
  };
  template <typename Part>
  LLCUDA_DEVICE Early load(const Part& part, const SumItem& item) const {
    const float fromBias = kParts.bias ? loadReadOnly(part.bias + item.row) : 0.f;
    const float fromResidual = kParts.residual ? residual[item.b * part.rows + item.row] : 0.f;
    return {kParts.bias && kParts.residual ? fromBias + fromResidual : kParts.bias ? fromBias : fromResidual};
  }

  template <typename Part>
  LLCUDA_DEVICE void store(const Part& part, const SumItem& item, const float* sums, const Early& early) const {
    const float sum = kParts.bias || kParts.residual ? sums[0] + early.added : sums[0];
    if (item.valid)
      part.y[item.b * part.rows + item.row] = kParts.cap ? softcapped(sum, cap) : sum;
  }

  template <int kThreads, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part&, uint32_t) const {}
};

template <WeightLayout kWeight, LinearShape kShape, DecodeCut kCut, LinearParts kParts, int kLowRank = 0>
LLCUDA_DEVICE void linear(const uint8_t* weight, const float* x, const int8_t* xCodes, const float2* xScales,
                          const float* bias, const float* residual, float* y, float cap = 0.f,
                          const LowRank& low = {}) {
  decodeLinear<kCut, kLowRank>(OnePart<kWeight, kShape>{weight, bias, y}, {x, xCodes, xScales},
                               StoreRows<kParts>{residual, cap}, low);
}

} // namespace llcuda
