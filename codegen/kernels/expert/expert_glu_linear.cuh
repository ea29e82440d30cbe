// SPDX-License-Identifier: Apache-2.0
// y[c][n] = activation(gate) * up for each choice c, gate and up being the products of expert_linear.cuh
//
//   launch    grid (N / 32, rows * choices), block (64 * kCut.slices): codegen/spec/expert_spec.cpp
//   gate, up  blobs, each of its layout, with the N rows of each expert, one expert after the other; N is a multiple of
//             32
//   x         int8 rows by themselves, f32 rows or both, as the layouts read; 16-byte aligned; one for each row that
//             chose
//   experts   [rows][choices], each below kShape.experts
//   biases    [experts][N], both or null
//   output    f32 rows, int8 rows by themselves, or both: [rows * choices][N]
//   numerics  those of expert_linear.cuh and glu.cuh: a choice's bits depend on its row and its expert alone
//   sm_75     warps of a block share gate and up, which meet in shared memory
#pragma once

#include "codegen/kernels/expert/expert_linear.cuh"
#include "codegen/kernels/glu/gated_rows.cuh"
#include "codegen/kernels/glu/glu_linear.cuh"

namespace llcuda {

/// The rows of one expert in both weights.
template <GluWeights kWeights, ExpertShape kShape>
struct GatedExpertPart {
  static constexpr int kM = 1, kK = kShape.k, kSides = 2;
  static_assert(kShape.n % kDecodeRows == 0, "an expert begins with a tile");
  const uint8_t *gate, *up;
  int expert;

  LLCUDA_DEVICE DecodePart<2> of(int block) const {
    return {0, {gate, up}, nullptr, nullptr, kShape.experts * kShape.n, expert * (kShape.n / kDecodeRows) + block};
  }
  template <typename F>
  static LLCUDA_DEVICE void withLayouts(int, F f) {
    f.template operator()<kWeights.gate, kWeights.up>();
  }
};

/// Rows of an expert, of which `first` is the first, to a row of the output.
template <Activation kActivation, RowForms kForms, bool kBias>
struct GateChoice {
  static_assert(kForms.order == RowOrder::kRows, "few rows");
  static constexpr int kItemRows = kGatedItemRows<kForms>;
  const float *gateBias, *upBias;
  RowOutput<kForms> output; ///< of the choice
  int first;

  struct Early {
    float gate[kItemRows], up[kItemRows];
  };
  template <typename Part>
  LLCUDA_DEVICE Early load(const Part&, const SumItem& item) const {
    Early early = {};
    LLCUDA_UNROLL
    for (int r = 0; kBias && r < kItemRows; ++r) {
      early.gate[r] = loadReadOnly(gateBias + item.row + r);
      early.up[r] = loadReadOnly(upBias + item.row + r);
    }
    return early;
  }
  template <typename Part>
  LLCUDA_DEVICE void store(const Part&, const SumItem& item, const float* sums, const Early& early) const {
    storeGated(output, item.row - first, item.valid, [&](int r) {
      return kBias ? gated<kActivation>(sums[2 * r] + early.gate[r], sums[2 * r + 1] + early.up[r])
                   : gated<kActivation>(sums[2 * r], sums[2 * r + 1]);
    });
  }
  template <int kThreads, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part&, uint32_t) const {}
};

template <GluWeights kWeights, ExpertShape kShape, DecodeCut kCut, Activation kActivation, RowForms kForms, bool kBias>
LLCUDA_DEVICE void expertGluLinear(const uint8_t* gate, const uint8_t* up, const float* x, const int8_t* xCodes,
                                   const float2* xScales, const int* experts, const float* gateBias,
                                   const float* upBias, float* y, int8_t* codes, float2* scales) {
  const int choice = blockIdx.y, expert = loadReadOnly(experts + choice);
  const int64_t row = choice / kShape.choices;
  const InputRows rows = {x + row * kShape.k, xCodes + row * kShape.k, xScales + row * (kShape.k / 32)};
  decodeLinear<kCut>(GatedExpertPart<kWeights, kShape>{gate, up, expert}, rows,
                     GateChoice<kActivation, kForms, kBias>{gateBias, upBias,
                                                            RowOutput<kForms>{y, codes, scales}.row(choice, kShape.n),
                                                            expert * kShape.n});
}

} // namespace llcuda
