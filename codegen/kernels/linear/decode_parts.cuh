// SPDX-License-Identifier: Apache-2.0
// The parts of a decode linear: which rows of which weights a block multiplies. Parts are a struct of what the launch
// is handed, with
//
//   kM, kK             rows and columns of x
//   kSides             weights of a part, which share its rows: 2 for gate and up
//   of<Tile>(block)    the part that block `block` of the launch works on
//   withLayouts(i, f)  calls f.template operator()<layouts of the sides of part i ...>()
//
// Experts are parts whose weights depend on the rows that chose them: of() then reads which.
#pragma once

#include "codegen/kernels/linear/decode_rows.cuh"

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

  template <typename Tile>
  LLCUDA_DEVICE DecodePart<1> of(int block) const {
    return {0, {weight}, bias, y, kShape.n, block};
  }
  template <typename F>
  static LLCUDA_DEVICE void withLayouts(int, F f) {
    f.template operator()<kWeight>();
  }
};

template <GluWeights kWeights, LinearShape kShape>
struct GatedPart {
  static constexpr int kM = kShape.m, kK = kShape.k, kSides = 2;
  const uint8_t *gate, *up;

  template <typename Tile>
  LLCUDA_DEVICE DecodePart<2> of(int block) const {
    return {0, {gate, up}, nullptr, nullptr, kShape.n, block};
  }
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

  template <typename Tile>
  LLCUDA_DEVICE DecodePart<1> of(int block) const {
    constexpr int kQBlocks = ceilDivide(kShape.qN, Tile::kBlockRows);
    constexpr int kKvBlocks = ceilDivide(kShape.kvN, Tile::kBlockRows);
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

/// Adds the group's products of the part to `sums`.
template <typename Parts, typename Tile, WeightLayout kLayout>
LLCUDA_DEVICE void multiplySides(const DecodePart<1>& part, int firstRow, const InputRows& x,
                                 GroupSumsOf<Tile, Parts::kM, 1>& sums) {
  const WeightPlanes planes[1] = {planesOf<kLayout, Parts::kK>(part.weights[0], part.rows)};
  multiplyRows<kLayout, Parts::kK, Tile, Parts::kM>(planes, firstRow, x, sums);
}

/// Side by side where the layouts are one.
template <typename Parts, typename Tile, WeightLayout kFirst, WeightLayout kSecond>
LLCUDA_DEVICE void multiplySides(const DecodePart<2>& part, int firstRow, const InputRows& x,
                                 GroupSumsOf<Tile, Parts::kM, 2>& sums) {
  constexpr int kM = Parts::kM, kK = Parts::kK;
  const WeightPlanes planes[2] = {planesOf<kFirst, kK>(part.weights[0], part.rows),
                                  planesOf<kSecond, kK>(part.weights[1], part.rows)};
  if constexpr (kFirst == kSecond) {
    multiplyRows<kFirst, kK, Tile, kM>(planes, firstRow, x, sums);
  } else {
    const WeightPlanes first[1] = {planes[0]}, second[1] = {planes[1]};
    GroupSumsOf<Tile, kM, 1> firstSums = {}, secondSums = {};
    multiplyRows<kFirst, kK, Tile, kM>(first, firstRow, x, firstSums);
    multiplyRows<kSecond, kK, Tile, kM>(second, firstRow, x, secondSums);
    constexpr int kSums = inputSlots(kM) * Tile::kRows;
    LLCUDA_UNROLL
    for (int i = 0; i < kSums; ++i) {
      sums[2 * i] = firstSums[i];
      sums[2 * i + 1] = secondSums[i];
    }
  }
}

} // namespace llcuda
