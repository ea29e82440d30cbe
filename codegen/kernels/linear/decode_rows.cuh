// SPDX-License-Identifier: Apache-2.0
// How a decode linear shares out a weight, and its loop over the inputs.
//
// A block makes a tile of 32 rows of the weight (outputs), or of each of two weights. Its warps share the inputs in
// slices of consecutive units; each multiplies its slice of the 32 rows with all kM rows of x, and the slices' sums
// meet in shared memory, where they are added in order. So a sum's order is that of its slices alone: the same for any
// M.
//
// What a warp does with a unit is a product: lanes that have a row of the weight each (decode_products.cuh), or tensor
// cores (decode_tensor.cuh). Both make the same sums. A product has
//
//   kUnits       of a row; a unit is as many inputs as one load of a lane's codes has
//   kBlockUnits  of a block of the layout
//   kScaleUnits  neighbouring units whose scales are loaded together, 1 or a block
//   at(unit)     the product with its units counted from there on, where a block begins
//   Codes        of a unit of the tile, and Scales, in registers; load and loadScales read them
//   multiply     adds the products of a unit to the sums
//   Sums         in the lane; store puts them where the block adds them up
//
//   sm_75     a warp's load of codes is 512 consecutive bytes, or four times 128; kAhead units are on their way
#pragma once

#include "codegen/kernels/linear/linear_shape.h"
#include "codegen/kernels/linear/weights.cuh"

namespace llcuda {

/// How a decode linear is cut.
struct DecodeCut {
  int slices; ///< of the inputs; a warp each, of each weight
  int ahead;  ///< units that a warp loads before it multiplies the first of them: 1, 2, 4 or 8
};

constexpr int kDecodeRows = static_cast<int>(kWeightTileRows); ///< of a block

/// The units of slice `slice`. Slices are whole blocks; the last ones may be shorter, or empty.
template <int kUnits, int kBlockUnits, int kSlices>
struct DecodeSlices {
  static constexpr int kMost = ceilDivide(kUnits / kBlockUnits, kSlices) * kBlockUnits; ///< units of a slice
  static constexpr bool kEven = kMost * kSlices == kUnits;

  static LLCUDA_DEVICE int first(int slice) { return slice * kMost; }
  static LLCUDA_DEVICE int count(int slice) { return kEven ? kMost : minOf(maxOf(kUnits - first(slice), 0), kMost); }
};

/// Units of a turn of the loop over `units`: all, of a short slice.
constexpr int turnUnits(int units, int step) {
  return units <= 8 && units % step == 0 ? units : step;
}

/// Adds a slice to the sums. Codes are loaded some units before they are multiplied, scales of several units when the
/// first of these codes is.
template <typename Product, DecodeCut kCut>
LLCUDA_DEVICE void multiplySlice(const Product& product, int slice, typename Product::Sums& sums) {
  using Slices = DecodeSlices<Product::kUnits, Product::kBlockUnits, kCut.slices>;
  constexpr int kGroup = Product::kScaleUnits, kAhead = kCut.ahead;
  constexpr int kTurn = turnUnits(Slices::kMost, Product::kBlockUnits > kAhead ? Product::kBlockUnits : kAhead);
  constexpr int kTurns = ceilDivide(Slices::kMost, kTurn);
  constexpr bool kWhole = Slices::kEven && Slices::kMost % kTurn == 0;
  constexpr int kScaleSlots = kGroup == 1 ? kAhead : 2; // of a unit, or of this and the next block
  static_assert(kGroup == 1 || kGroup == kTurn, "a block of scales is a turn");

  const int count = Slices::count(slice);
  typename Product::Codes codes[kAhead] = {};
  typename Product::Scales scales[kScaleSlots] = {};
  Product here = product.at(Slices::first(slice)); // moves on by a constant: the loop has pointers, no other addresses
  // `i` is the unit's place in its turn, from 0 to kTurn + kAhead: a constant, as is what it adds to an address.
  const auto load = [&](int turn, int i) {
    if (kWhole ? i < kTurn || turn + 1 < kTurns : turn * kTurn + i < count) {
      codes[i % kAhead] = here.load(i);
      if (i % kGroup == 0)
        scales[kGroup == 1 ? i % kAhead : i / kGroup] = here.loadScales(i / kGroup);
    }
  };
  LLCUDA_UNROLL
  for (int i = 0; i < kAhead; ++i) load(0, i);
  LLCUDA_NO_UNROLL
  for (int turn = 0; turn < kTurns; ++turn) {
    LLCUDA_UNROLL
    for (int i = 0; i < kTurn; ++i) {
      if (kWhole || turn * kTurn + i < count)
        here.multiply(i, codes[i % kAhead], scales[kGroup == 1 ? i % kAhead : 0], sums);
      load(turn, i + kAhead);
    }
    if constexpr (kGroup > 1)
      scales[0] = scales[1];
    here = here.at(kTurn);
  }
}

} // namespace llcuda
