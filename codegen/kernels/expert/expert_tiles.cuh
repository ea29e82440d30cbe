// SPDX-License-Identifier: Apache-2.0
// What linears of sorted choices share: the rows that a block multiplies have one expert, whose weights it reads.
#pragma once

#include "codegen/kernels/linear/linear_prompt.cuh"

namespace llcuda {

/// Rows of x in the order of choices sorted by expert, in tiles of which each has one.
struct SortedInput {
  PromptRows rows;
  const int* tileExperts; ///< [tiles]: sort_choices.cuh

  /// The expert of the block's tile, or -1: nobody's.
  LLCUDA_DEVICE int expert() const { return loadReadOnly(tileExperts + blockIdx.x); }
};

/// The tile's columns are rows firstRow ... of an expert; past its last they are that one's again.
template <typename Tile>
struct OneExpert {
  static constexpr int kRun = kWeightTileRows;
  const uint8_t* weight;
  int rows;            ///< of the weight
  int expert, outputs; ///< which, and how many rows each has: a multiple of kWeightTileRows
  int firstRow;

  LLCUDA_DEVICE WeightLine line(int column) const {
    const int row = firstRow + column;
    return {weight, expert * outputs + (outputs % Tile::kColumns == 0 ? row : rowWithin<kRun>(row, outputs))};
  }
};

/// As GatedWeights, of an expert.
template <typename Tile>
struct GatedExpert {
  static constexpr int kHalf = GatedWeights<Tile>::kHalf, kRun = GatedWeights<Tile>::kRun;
  const uint8_t *gate, *up;
  int rows; ///< of each weight
  int expert, outputs;
  int firstRow;

  LLCUDA_DEVICE WeightLine line(int column) const {
    const WeightLine own = GatedWeights<Tile>{gate, up, outputs, firstRow}.line(column);
    return {own.weight, expert * outputs + own.row};
  }
};

} // namespace llcuda
