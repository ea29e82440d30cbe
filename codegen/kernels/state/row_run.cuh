// SPDX-License-Identifier: Apache-2.0
// Which rows of a phase are one sequence: those that follow one another, of one slot and of positions that follow one
// another. A phase has one such run of each slot at most.
#pragma once

#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

/// The rows of a phase by the io buffers that tell them. Row `row` holds a token.
struct RowRuns {
  const int* positions; ///< [rows], -1 where a row is padding
  const int* slots;     ///< [rows]
  int rows;

  LLCUDA_DEVICE int position(int row) const { return loadReadOnly(positions + row); }
  LLCUDA_DEVICE int slot(int row) const { return loadReadOnly(slots + row); }
  /// Whether row `row` + `steps`, which may be outside the phase, is the same sequence as many positions on.
  LLCUDA_DEVICE bool continues(int row, int steps) const {
    const int other = row + steps;
    return other >= 0 && other < rows && position(row) + steps >= 0 && position(other) == position(row) + steps &&
           slot(other) == slot(row);
  }
  LLCUDA_DEVICE bool begins(int row) const { return !continues(row, -1); }
  /// How many rows follow one another from `row` on, itself included.
  LLCUDA_DEVICE int length(int row) const {
    int least = 1, most = rows - row;
    while (least < most) {
      const int middle = (least + most + 1) / 2;
      if (continues(row, middle - 1))
        least = middle;
      else
        most = middle - 1;
    }
    return least;
  }
};

} // namespace llcuda
