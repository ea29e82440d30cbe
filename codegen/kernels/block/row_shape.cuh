// SPDX-License-Identifier: Apache-2.0
// Shapes of kernels that work element by element, or row by row: their template arguments.
#pragma once

namespace llcuda {

/// A launch over all elements of its rows.
struct FlatShape {
  int elements;
  int threads; ///< of a block
};

/// A launch over all elements of its rows that minds where each row lies.
struct RowsShape {
  int rows;
  int columns; ///< of each, a multiple of 32
  int threads; ///< of a block
};

/// A launch with a block for each row.
struct RowShape {
  int columns;
  int threads;         ///< of a block
  bool picked = false; ///< row r of the result is made of row pick[r]
};

} // namespace llcuda
