// SPDX-License-Identifier: Apache-2.0
// Int8 rows of activations: for every 32 elements of a row a scale d = max|x| / 127, codes round(x / d), and d times
// the sum of the codes, which weights with a minimum ask for. Where each of them lies.
#pragma once

namespace llcuda {

constexpr int kRowBlock = 32;     ///< elements of a row that share a scale
constexpr int kFragmentRows = 16; ///< of a tile of RowOrder::kFragments
constexpr int kEightRows = 8;     ///< of RowOrder::kEightRows

enum class RowOrder : unsigned char {
  /// For 1 and 2 rows, which are read one by one: codes [rows][columns]; scales [rows][blocks] of {d, d * sum}, f32.
  kRows,
  /// For 3 to 8 rows, which tensor cores read together; those that are none may hold anything. Lane 4g + q of a warp
  /// finds its operand of a block in 8 bytes: elements 4q ... 4q + 3 and 16 + 4q ... 16 + 4q + 3 of row g. Codes are
  /// [blocks][lanes] of those, scales [blocks][8] of {d, d * sum}, f32.
  kEightRows,
  /// For tensor cores and any number of rows: tiles of 16 rows, the last filled up with rows that may hold anything.
  /// Lane 4g + q of a warp finds its operands of a block in 16 bytes: elements 4q ... 4q + 3 and 16 + 4q ... 16 + 4q +
  /// 3 of row g, then the same of row g + 8. Codes are [tiles][blocks][lanes] of those, scales [tiles][blocks] of
  /// FragmentScales.
  kFragments,
};

/// What a block of 16 rows has beside its codes, in one line of memory.
struct FragmentScales {
  float d[8][2];        ///< of rows g and g + 8
  unsigned terms[8][2]; ///< d * sum of rows g and g + 8, two f16 each: codegen/kernels/block/sum_terms.cuh
};
static_assert(sizeof(FragmentScales) == 128, "one line");

/// Up to so many rows of x lanes multiply one by one, with fewer instructions than tensor cores.
constexpr unsigned kMostRowsOfLanes = 2;

/// In which linears of 1 to 8 rows read.
constexpr RowOrder fewRowsOrder(unsigned rows) {
  return rows <= kMostRowsOfLanes ? RowOrder::kRows : RowOrder::kEightRows;
}

/// Rows that buffers hold, of so many.
constexpr unsigned long long rowsHeld(RowOrder order, unsigned long long rows) {
  return order == RowOrder::kRows        ? rows
         : order == RowOrder::kEightRows ? kEightRows
                                         : (rows + kFragmentRows - 1) / kFragmentRows * kFragmentRows;
}
constexpr unsigned long long codesBytes(RowOrder order, unsigned long long rows, unsigned long long columns) {
  return rowsHeld(order, rows) * columns;
}
constexpr unsigned long long scalesBytes(RowOrder order, unsigned long long rows, unsigned long long columns) {
  return rowsHeld(order, rows) * (columns / kRowBlock) * 8;
}

/// Elements that a thread of codegen/kernels/block/each_row.cuh makes.
constexpr unsigned elementsOfThread(RowOrder order) {
  return order == RowOrder::kFragments ? 16 : 4;
}

// Places, in bytes from the start of the codes or of the scales.

/// From a block to the next one of its row.
constexpr unsigned codesStep(RowOrder order) {
  return order == RowOrder::kRows        ? kRowBlock
         : order == RowOrder::kEightRows ? kRowBlock * kEightRows
                                         : kRowBlock * kFragmentRows;
}
constexpr unsigned scalesStep(RowOrder order) {
  return order == RowOrder::kRows ? 8 : order == RowOrder::kEightRows ? 8 * kEightRows : sizeof(FragmentScales);
}
/// The codes of a row's first block.
constexpr unsigned long long codesOfRow(RowOrder order, unsigned row, unsigned long long columns) {
  return order == RowOrder::kRows ? row * columns
         : order == RowOrder::kEightRows
             ? row * 32
             : row / kFragmentRows * kFragmentRows * columns + row % 8 * 64 + row % 16 / 8 * 8;
}
/// From there, elements 4 * four ... 4 * four + 3 of the row, which lie together in any order.
constexpr unsigned codesOfFour(RowOrder order, unsigned four) {
  return order == RowOrder::kRows
             ? 4 * four
             : four / 8 * codesStep(order) + four % 4 * (order == RowOrder::kEightRows ? 8 : 16) + four % 8 / 4 * 4;
}
/// The d of a row's first block.
constexpr unsigned long long scalesOfRow(RowOrder order, unsigned row, unsigned long long columns) {
  return order == RowOrder::kRows ? row * (columns / kRowBlock * scalesStep(order))
         : order == RowOrder::kEightRows
             ? row * 8
             : row / kFragmentRows * (columns / kRowBlock * scalesStep(order)) + row % 8 * 8 + row % 16 / 8 * 4;
}
/// From a d to what is kept of its sum.
constexpr unsigned sumAfterScale(RowOrder order) {
  return order == RowOrder::kFragments ? 64 : 4;
}

} // namespace llcuda
