// SPDX-License-Identifier: Apache-2.0
// y = weight . x + residual (+ bias) as `linear`; then the last block to arrive norms the rows of y as `rms_norm`. With
// postNorm: y = residual + rms_norm(weight . x (+ bias)) * postScale, by that block too, perhaps times a factor, and
// perhaps emitted as it is
//
//   weight, x, bias, low, launch, numerics   decode_linear.cuh
//   residual, y   as `linear`; kN is a multiple of 32
//   scale     [kN] f32, 16-byte aligned; postScale as it, not read without postNorm
//   product   [kM][kN] f32, only with postNorm: weight . x before it is normed; not the residual
//   arrivals  one word, zero before and after the launch
//   output    the normed rows: f32 rows, int8 rows, or both; not y
//   sm_75     saves a launch; the norm runs in one block when the others have left
#pragma once

#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/linear/linear.cuh"
#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

struct ResidualNormParts {
  bool bias = false;
  bool postNorm = false;
  SumForm sum = {}; ///< another than that only with postNorm
};

/// y as StoreRows, or the product beside it; the last block to arrive norms.
template <ResidualNormParts kParts, LinearShape kShape, RowForms kForms>
struct NormRows {
  using Store = StoreRows<LinearParts{.bias = kParts.bias, .residual = !kParts.postNorm}>;
  static constexpr int kItemRows = 1;
  Store stored; ///< of the part's y: the product with postNorm, else y
  const float *postScale, *scale;
  uint32_t* arrivals;
  float* y;
  RowOutput<kForms> output;
  float eps;

  using Early = typename Store::Early;
  template <typename Part>
  LLCUDA_DEVICE Early load(const Part& part, const SumItem& item) const {
    return stored.load(part, item);
  }
  template <typename Part>
  LLCUDA_DEVICE void store(const Part& part, const SumItem& item, const float* sums, const Early& early) const {
    stored.store(part, item, sums, early);
  }

  template <int kThreads, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part& part, uint32_t blocks) const {
    constexpr int kN = kShape.n;
    if (!arriveLast(arrivals, blocks))
      return;
    const float4* fours = reinterpret_cast<const float4*>(part.y);
    const auto load = [&](int r, int i) { return loadCoherent(fours + r * (kN / 4) + i); };
    if constexpr (kParts.postNorm) {
      const float4* stream = reinterpret_cast<const float4*>(stored.residual);
      postNormRows<kN, kThreads, kM, kParts.sum>(
          load, postScale, [&](int r, int i) { return stream[r * (kN / 4) + i]; }, scale, eps, y, output);
    } else {
      normRows<kN, kThreads, kM>(load, scale, eps, output);
    }
  }
};

template <WeightLayout kWeight, LinearShape kShape, DecodeCut kCut, ResidualNormParts kParts, RowForms kForms,
          int kLowRank = 0>
LLCUDA_DEVICE void linearResidualNorm(const uint8_t* weight, const float* x, const int8_t* xCodes,
                                      const float2* xScales, const float* bias, const float* residual,
                                      const float* postScale, const float* scale, uint32_t* arrivals, float* product,
                                      float* y, float* normed, int8_t* normedCodes, float2* normedScales, float eps,
                                      const LowRank& low = {}) {
  decodeLinear<kCut, kLowRank>(OnePart<kWeight, kShape>{weight, bias, kParts.postNorm ? product : y},
                               {x, xCodes, xScales},
                               NormRows<kParts, kShape, kForms>{
                                   {residual}, postScale, scale, arrivals, y, {normed, normedCodes, normedScales}, eps},
                               low);
}

} // namespace llcuda
