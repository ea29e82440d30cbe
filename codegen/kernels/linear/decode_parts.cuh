// SPDX-License-Identifier: Apache-2.0
// The parts of a decode linear: which rows of which weights a block multiplies. Parts are a struct of what the launch
// is handed, with
//
//   kM, kK             rows and columns of x
//   kSides             weights of a part, which share its rows: 2 for gate and up
//   of(block)          the part that block `block` of the launch works on
//   withLayouts(i, f)  calls f.template operator()<layouts of the sides of part i ...>()
//
// Experts are parts whose weights depend on the rows that chose them: of() then reads which.
#pragma once

#include "codegen/kernels/linear/decode_tensor.cuh"

namespace llcuda {

template <int kSides>
struct DecodePart {
  int index; ///< in the launch
  const uint8_t* weights[kSides];
  const float* bias; ///< or null
  float* y;          ///< where its rows go, or null: the epilogue knows
  int rows;          ///< of the weights
  int block;         ///< of the part
};

template <WeightLayout kWeight, LinearShape kShape>
struct OnePart {
  static constexpr int kM = kShape.m, kK = kShape.k, kSides = 1;
  const uint8_t* weight;
  const float* bias;
  float* y;

  LLCUDA_DEVICE DecodePart<1> of(int block) const { return {0, {weight}, bias, y, kShape.n, block}; }
  template <typename F>
  static LLCUDA_DEVICE void withLayouts(int, F f) {
    f.template operator()<kWeight>();
  }
};

template <GluWeights kWeights, LinearShape kShape>
struct GatedPart {
  static constexpr int kM = kShape.m, kK = kShape.k, kSides = 2;
  const uint8_t *gate, *up;

  LLCUDA_DEVICE DecodePart<2> of(int block) const { return {0, {gate, up}, nullptr, nullptr, kShape.n, block}; }
  template <typename F>
  static LLCUDA_DEVICE void withLayouts(int, F f) {
    f.template operator()<kWeights.gate, kWeights.up>();
  }
};

enum QkvPart { kQueries, kKeys, kValues };

/// Blocks of q, then of k, then of v. Parts of one layout share their code: what differs between them is data.
template <QkvWeights kWeights, QkvLinearShape kShape>
struct QkvParts {
  static constexpr int kM = kShape.m, kK = kShape.k, kSides = 1;
  const uint8_t* weights[3];
  const float* biases[3];
  float* y[3] = {};

  LLCUDA_DEVICE DecodePart<1> of(int block) const {
    constexpr int kQBlocks = ceilDivide(kShape.qN, kDecodeRows);
    constexpr int kKvBlocks = ceilDivide(kShape.kvN, kDecodeRows);
    if (block >= kQBlocks + kKvBlocks)
      return {kValues, {weights[2]}, biases[2], y[2], kShape.kvN, block - kQBlocks - kKvBlocks};
    if (block >= kQBlocks)
      return {kKeys, {weights[1]}, biases[1], y[1], kShape.kvN, block - kQBlocks};
    return {kQueries, {weights[0]}, biases[0], y[0], kShape.qN, block};
  }
  template <typename F>
  static LLCUDA_DEVICE void withLayouts(int part, F f) {
    if (kWeights.k != kWeights.q && part == kKeys)
      f.template operator()<kWeights.k>();
    else if (kWeights.v != kWeights.q && part == kValues)
      f.template operator()<kWeights.v>();
    else
      f.template operator()<kWeights.q>();
  }
};

/// Who multiplies a layout with kM rows of x.
template <WeightLayout kLayout, int kK, int kM>
struct ProductOf {
  using Type = DotRowProduct<kLayout, kK, kM>;
};
template <WeightLayout kLayout, int kK, int kM>
requires(weightIsInt8Codes(kLayout) && kM <= kMostRowsOfLanes) struct ProductOf<kLayout, kK, kM> {
  using Type = Int8RowProduct<kLayout, kK, kM>;
};
template <WeightLayout kLayout, int kK, int kM>
requires(weightIsInt8Codes(kLayout) && kM > kMostRowsOfLanes) struct ProductOf<kLayout, kK, kM> {
  using Type = Int8TensorProduct<kLayout, kK, kM>;
};

/// Puts the sums of a slice of a weight's tile to `sums`.
template <WeightLayout kLayout, typename Parts, DecodeCut kCut>
LLCUDA_DEVICE void multiplySide(const uint8_t* weight, int rows, int block, const InputRows& x, int slice,
                                float* sums) {
  using Product = typename ProductOf<kLayout, Parts::kK, Parts::kM>::Type;
  static_assert(traitsAgree<WeightTraits<kLayout, Parts::kK>>(kLayout), "encodings.inc says otherwise");
  typename Product::Sums own = {};
  multiplySlice<Product, kCut>(Product::from(planesOf<kLayout, Parts::kK>(weight, rows), block * kDecodeRows, x), slice,
                               own);
  own.store(sums);
}

/// The warp's slice of its side of the part; warps have slices of the first weight, then of the second.
template <typename Parts, DecodeCut kCut, WeightLayout kFirst, WeightLayout... kSecond, int kSides>
LLCUDA_DEVICE void multiplySides(const DecodePart<kSides>& part, const InputRows& x, float* sums) {
  const int side = warpId() / kCut.slices, slice = warpId() % kCut.slices;
  const uint8_t* weight = kSides == 1 || side == 0 ? part.weights[0] : part.weights[kSides - 1];
  if (((kSecond == kFirst) && ...) || side == 0)
    multiplySide<kFirst, Parts, kCut>(weight, part.rows, part.block, x, slice, sums);
  else
    (multiplySide<kSecond, Parts, kCut>(weight, part.rows, part.block, x, slice, sums), ...);
}

} // namespace llcuda
