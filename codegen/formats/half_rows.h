// SPDX-License-Identifier: Apache-2.0
// f16 rows of activations, as tensor cores multiply them with f16 weights: each row times a power of two that brings
// its largest element below 2^15, so that nothing overflows and what is far smaller keeps its 11 bits. Where each
// element lies.
//
// Rows come in tiles of 16, the last filled up with rows that may hold anything. Lane 4g + q of a warp finds its
// operands of 16 columns in 16 bytes: elements 4q ... 4q + 3 of row g, then the same of row g + 8. Halves are
// [tiles][blocks][lanes] of those; beside them is [rows] f32, what a row is multiplied with to be itself again.
#pragma once

namespace llcuda {

constexpr int kHalfBlock = 16; ///< columns of a block
constexpr int kHalfTile = 16;  ///< rows of a tile
constexpr unsigned kHalfBlockBytes = kHalfBlock * kHalfTile * 2;

/// Rows that buffers hold, of so many.
constexpr unsigned long long halfRowsHeld(unsigned long long rows) {
  return (rows + kHalfTile - 1) / kHalfTile * kHalfTile;
}
constexpr unsigned long long halvesBytes(unsigned long long rows, unsigned long long columns) {
  return halfRowsHeld(rows) * columns * 2;
}
constexpr unsigned long long halfScalesBytes(unsigned long long rows) {
  return halfRowsHeld(rows) * 4;
}

// Places, in bytes from the start of the halves.

/// The halves of a row's first block.
constexpr unsigned long long halvesOfRow(unsigned row, unsigned long long columns) {
  return row / kHalfTile * (kHalfTile * 2 * columns) + row % 8 * 64 + row % kHalfTile / 8 * 8;
}
/// From there, elements 4 * four ... 4 * four + 3 of the row, which lie together.
constexpr unsigned halvesOfFour(unsigned four) {
  return four / 4 * kHalfBlockBytes + four % 4 * 16;
}

} // namespace llcuda
