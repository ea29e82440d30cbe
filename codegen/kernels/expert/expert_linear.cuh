// SPDX-License-Identifier: Apache-2.0
// y[c][n] = sum over k of x[row of c][k] * weight[experts[c] * N + n][k] (+ bias[experts[c] * N + n]) for each choice c
//
//   launch    grid (N / 32, rows * choices), block (32 * kCut.slices): codegen/spec/expert_spec.cpp
//   weight    a blob of its layout with the N rows of each expert, one expert after the other; N is a multiple of 32
//   x         int8 rows by themselves, or f32 rows, as the layout reads; 16-byte aligned; a row for each row that
//             chose, or with kShape.each for each choice
//   experts   [rows][choices], each below kShape.experts
//   bias      [experts][N] or null
//   y         [rows * choices][N] f32
//   numerics  those of decode_linear.cuh: a choice's bits depend on its row and its expert alone
//   sm_75     an expert that several rows chose is read for each of them
#pragma once

#include "codegen/kernels/linear/decode_linear.cuh"

namespace llcuda {

struct ExpertShape {
  int experts, choices; ///< that there are, and that a row has
  int n, k;             ///< of each expert
  bool each;            ///< x has a row for each choice
};

/// The rows of one expert, as rows of the weight that has them all.
template <WeightLayout kWeight, ExpertShape kShape>
struct ExpertPart {
  static constexpr int kM = 1, kK = kShape.k, kSides = 1;
  static_assert(kShape.n % kDecodeRows == 0, "an expert begins with a tile");
  const uint8_t* weight;
  const float* bias;
  float* y;
  int expert;

  LLCUDA_DEVICE DecodePart<1> of(int block) const {
    return {0, {weight}, bias, y, kShape.experts * kShape.n, expert * (kShape.n / kDecodeRows) + block};
  }
  template <typename F>
  static LLCUDA_DEVICE void withLayouts(int, F f) {
    f.template operator()<kWeight>();
  }
};

/// Rows of an expert, of which `first` is the first, to a row of y.
template <bool kBias>
struct StoreChoice {
  static constexpr int kItemRows = 1;
  int first;

  struct Early {
    float bias;
  };
  template <typename Part>
  LLCUDA_DEVICE Early load(const Part& part, const SumItem& item) const {
    return {kBias ? loadReadOnly(part.bias + item.row) : 0.f};
  }
  template <typename Part>
  LLCUDA_DEVICE void store(const Part& part, const SumItem& item, const float* sums, const Early& early) const {
    if (item.valid)
      part.y[item.row - first] = kBias ? sums[0] + early.bias : sums[0];
  }
  template <int kThreads, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part&, uint32_t) const {}
};

template <WeightLayout kWeight, ExpertShape kShape, DecodeCut kCut, bool kBias>
LLCUDA_DEVICE void expertLinear(const uint8_t* weight, const float* x, const int8_t* xCodes, const float2* xScales,
                                const int* experts, const float* bias, float* y) {
  const int choice = blockIdx.y, expert = loadReadOnly(experts + choice);
  const int64_t row = kShape.each ? choice : choice / kShape.choices;
  const InputRows rows = {x + row * kShape.k, xCodes + row * kShape.k, xScales + row * (kShape.k / 32)};
  float* const to = y + static_cast<int64_t>(choice) * kShape.n;
  decodeLinear<kCut>(ExpertPart<kWeight, kShape>{weight, bias, to, expert}, rows,
                     StoreChoice<kBias>{expert * kShape.n});
}

} // namespace llcuda
