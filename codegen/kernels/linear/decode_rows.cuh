// SPDX-License-Identifier: Apache-2.0
// What the decode linears have in common: which rows of a weight a lane works on, and the loop over a row.
//
// A warp is 32 / kLanes groups of kLanes lanes. A group takes kRows consecutive rows of the weight (outputs) and
// multiplies them with all kM input rows; its lanes share the units of a row. The input comes through the L1
// cache, where the rows of all groups of a multiprocessor meet; it needs no barrier.
//
//   numerics  products of int8 are exact within a unit, f32 sums: lane by lane, then over the group by halves
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

/// The power of two that a lane's number is taken modulo to find the input row it answers for.
constexpr int inputSlots(int m) {
  return m <= 1 ? 1 : m <= 2 ? 2 : m <= 4 ? 4 : 8;
}

/// Calls f(r, b) in the one lane of the group that owns the sum of the group's row r and input row b; b is the same in
/// all calls of a lane: lane % inputSlots(kM). Rows of the group before `firstOwned` are nobody's.
template <typename Tile, int kM, typename F>
LLCUDA_DEVICE void forOwned(int firstOwned, F f) {
  constexpr int kSlots = inputSlots(kM);
  LLCUDA_UNROLL
  for (int r = 0; r < Tile::kRows; ++r) {
    LLCUDA_UNROLL
    for (int b = 0; b < kM; ++b) {
      if (Tile::lane() == (r * kSlots + b) % Tile::kLanes && r >= firstOwned)
        f(r, b);
    }
  }
}

/// What is added to the sums that a lane owns. A lane loads it before it loads weights, so that it has come when they
/// are multiplied, and adds it to the whole sum: so the bits of a sum do not depend on which lane owns it.
template <typename Tile, int kM>
struct OwnedAddends {
  static constexpr int kSlots = inputSlots(kM);
  static_assert(Tile::kLanes % kSlots == 0, "a lane answers for one input row");
  float values[ceilDivide(Tile::kRows * kSlots, Tile::kLanes)] = {};

  /// value(r, b) for each sum that is owned.
  template <typename F>
  LLCUDA_DEVICE void load(int firstOwned, F value) {
    forOwned<Tile, kM>(firstOwned, [&](int r, int b) { of(r) = value(r, b); });
  }
  LLCUDA_DEVICE float& of(int r) { return values[r * kSlots / Tile::kLanes]; } ///< in the lane that owns row r's sum
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

/// Adds to sums[w][r][b] the product of row r of weight w with input row b. After groupSum every lane has the whole
/// sums. Weights of one layout that share their input (gate and up) are read side by side.
template <WeightLayout kLayout, int kK, typename Tile, int kM, int kWeights>
LLCUDA_DEVICE void multiplyRows(const WeightPlanes (&planes)[kWeights], const InputRows& inputs,
                                float (&sums)[kWeights * Tile::kRows * kM]) {
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
        to[r] = Traits::load(planes[r / Tile::kRows], r % Tile::kRows, unit);
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
          for (int r = 0; r < kRows; ++r) sums[r * kM + b] += Traits::dot(units[d][r], x);
        }
      }
      if (kSteps > kDepth)
        load(step + d + kDepth, units[d]);
    }
  }
}

} // namespace llcuda
