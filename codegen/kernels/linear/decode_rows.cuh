// SPDX-License-Identifier: Apache-2.0
// What the decode linears have in common: which rows of a weight a lane works on, and the loop over a row.
//
// A warp is 32 / kLanes groups of kLanes lanes. A group takes kRows consecutive rows of the weight (outputs) and
// multiplies them with all kM input rows; its lanes share the units of a row. The input comes through the L1
// cache, where the rows of all groups of a multiprocessor meet; it needs no barrier.
//
//   numerics  products of int8 are exact within a unit, f32 sums: lane by lane, then over the group by halves;
//             what is added to a sum is added to the whole of it
//   sm_75     16-byte loads of codes, kDepth * kRows of them in flight in each lane before the first is used
#pragma once

#include "codegen/kernels/linear/linear_shape.h"
#include "codegen/kernels/linear/weights.cuh"

namespace llcuda {

/// How a decode linear is cut. A block makes its rows of the weight in rounds, one after the other, where it has to
/// make more than its groups hold at a time: whole blocks of int8 rows. Lanes, and with them the order of a sum, so are
/// the same for any M.
struct DecodeCut {
  int lanes; ///< of a group: 8, 16 or 32
  int rows;  ///< of a group
  int warps;
  int rounds = 1;
};

template <DecodeCut kCutArg>
struct DecodeTile {
  static constexpr DecodeCut kCut = kCutArg;
  static constexpr int kLanes = kCut.lanes, kRows = kCut.rows, kWarps = kCut.warps, kRounds = kCut.rounds;
  static constexpr int kGroupsPerWarp = kWarpSize / kLanes;
  static constexpr int kRoundRows = kGroupsPerWarp * kRows * kWarps;
  static constexpr int kBlockRows = kRounds * kRoundRows;

  static LLCUDA_DEVICE int lane() { return laneId() % kLanes; }
  /// First row of this lane's group within the kRoundRows of a round.
  static LLCUDA_DEVICE int groupRow() { return (warpId() * kGroupsPerWarp + laneId() / kLanes) * kRows; }
};

/// The least power of two that is not below m.
constexpr int inputSlots(int m) {
  return m <= 1 ? 1 : m <= 2 ? 2 : m <= 4 ? 4 : 8;
}

/// A lane's share of the sums of a group, [b][r][weight].
template <typename Tile, int kM, int kWeights>
using GroupSumsOf = float[inputSlots(kM) * Tile::kRows * kWeights];

/// The sums of a group, and which of them a lane owns. An item is what has to meet in one lane: the sums of an input
/// row b with kItemRows rows r of the group, of each of kWeights weights that are read side by side. Items are shared
/// out among the lanes in the order of b, then of r: all of a lane are of one b. The order in which a sum is added up
/// does not depend on the lane that owns it.
template <typename Tile, int kM, int kWeights = 1, int kItemRows = 1>
struct GroupSums {
  static constexpr int kRows = Tile::kRows, kRowItems = kRows / kItemRows;
  static constexpr int kItems = inputSlots(kM) * kRowItems;
  static constexpr int kOwned = kItems > Tile::kLanes ? kItems / Tile::kLanes : 1; ///< items of a lane
  static constexpr int kOwnerLanes = Tile::kLanes * kOwned / kItems;               ///< that know the same items
  static constexpr int kValues = kItemRows * kWeights;                             ///< of an item
  static_assert((kRows & (kRows - 1)) == 0 && kRows % kItemRows == 0 && kOwned <= kRowItems, "items of one b");

  GroupSumsOf<Tile, kM, kWeights> all = {};
  float own[kOwned * kValues]; ///< [item][r][weight]: after reduce()

  LLCUDA_DEVICE void reduce() { groupReduceScatter<Tile::kLanes>(all, own); }

  static LLCUDA_DEVICE int firstItem() { return Tile::lane() / kOwnerLanes * kOwned; }
  /// The b of the lane's items; for kM that is no power of two it may be one that is not there.
  static LLCUDA_DEVICE int input() { return firstItem() / kRowItems; }
  static LLCUDA_DEVICE bool hasInput() { return inputSlots(kM) == kM || input() < kM; }
  /// The first row, within the group, of item i.
  static LLCUDA_DEVICE int row(int i) { return (firstItem() % kRowItems + i) * kItemRows; }

  /// Calls f(i, r, b) for each item i of the group in one lane that owns it. Rows of the group before `firstOwned` are
  /// nobody's.
  template <typename F>
  static LLCUDA_DEVICE void forOwned(int firstOwned, F f) {
    LLCUDA_UNROLL
    for (int i = 0; i < kOwned; ++i)
      if (Tile::lane() % kOwnerLanes == 0 && hasInput() && row(i) >= firstOwned)
        f(i, row(i), input());
  }
  /// Calls f(i, r, b) for each item of the lane, also where another lane owns it: for what is read before the weights
  /// are, so that it has come when they are multiplied. b is of a row that is there.
  template <typename F>
  static LLCUDA_DEVICE void forEach(F f) {
    LLCUDA_UNROLL
    for (int i = 0; i < kOwned; ++i) f(i, row(i), hasInput() ? input() : kM - 1);
  }
};

/// A group's place in a weight of `rows` rows. At the end of the weight a group moves up to stay inside: the rows
/// before `firstOwned` then belong to the group above, which computes the same sums.
struct GroupRows {
  int first;      ///< row of the weight
  int firstOwned; ///< of the group's rows, from where on it stores; may be past all of them
};

template <typename Tile>
LLCUDA_DEVICE GroupRows groupRows(int block, int round, int rows) {
  const int nominal = block * Tile::kBlockRows + round * Tile::kRoundRows + Tile::groupRow();
  const int first = minOf(nominal, rows - Tile::kRows);
  return {first, nominal - first};
}

/// Adds to sums[b][r][w] the lane's share of the product of row firstRow + r of weight w with input row b. Weights of one layout
/// that share their input (gate and up) are read side by side.
template <WeightLayout kLayout, int kK, typename Tile, int kM, int kWeights>
LLCUDA_DEVICE void multiplyRows(const WeightPlanes (&planes)[kWeights], int firstRow, const InputRows& inputs,
                                GroupSumsOf<Tile, kM, kWeights>& sums) {
  using Traits = WeightTraits<kLayout, kK>;
  static_assert(traitsAgree<Traits>(kLayout), "encodings.inc says otherwise");
  constexpr int kUnits = kK / Traits::kUnit;
  constexpr int kSteps = (kUnits + Tile::kLanes - 1) / Tile::kLanes;
  constexpr int kRows = kWeights * Tile::kRows;
  constexpr int kInFlight = Traits::kAhead / inputSlots(kM) / kRows; // input rows take registers too
  constexpr int kDepth = kInFlight < 1 ? 1 : kInFlight < kSteps ? kInFlight : kSteps;
  constexpr bool kWhole = kUnits % (Tile::kLanes * kDepth) == 0;

  typename Traits::Unit units[kDepth][kRows] = {};
  const auto load = [&](int step, typename Traits::Unit(&to)[kRows]) {
    const int unit = step * Tile::kLanes + Tile::lane();
    LLCUDA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (kWhole ? step < kSteps : unit < kUnits)
        to[r] = Traits::load(planes[r / Tile::kRows], firstRow + r % Tile::kRows, unit);
    }
  };
  LLCUDA_UNROLL
  for (int d = 0; d < kDepth; ++d) load(d, units[d]);

  LLCUDA_NO_UNROLL
  for (int step = 0; step < kSteps; step += kDepth) {
    LLCUDA_UNROLL
    for (int d = 0; d < kDepth; ++d) {
      const int unit = (step + d) * Tile::kLanes + Tile::lane();
      if (kWhole || unit < kUnits) {
        LLCUDA_UNROLL
        for (int b = 0; b < kM; ++b) {
          const typename Traits::Input x = Traits::loadInput(inputs, b, unit);
          LLCUDA_UNROLL
          for (int r = 0; r < kRows; ++r)
            sums[(b * Tile::kRows + r % Tile::kRows) * kWeights + r / Tile::kRows] += Traits::dot(units[d][r], x);
        }
      }
      if (kSteps > kDepth)
        load(step + d + kDepth, units[d]);
    }
  }
}

} // namespace llcuda
