// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/int8_rows.h"

#include <gtest/gtest.h>

#include <set>

namespace llcuda {
namespace {

constexpr unsigned kColumns = 96;

/// As many as an order has, of so many rows.
unsigned rowsOf(RowOrder order) {
  return order == RowOrder::kEightRows ? 5 : 37;
}

/// The byte of a code, and of what belongs to a block, as the functions say.
unsigned long long codeAt(RowOrder order, unsigned row, unsigned column) {
  return codesOfRow(order, row, kColumns) + codesOfFour(order, column / 4) + column % 4;
}
unsigned long long scaleAt(RowOrder order, unsigned row, unsigned block) {
  return scalesOfRow(order, row, kColumns) + block * scalesStep(order);
}

// Two elements in one place, or one outside of the buffer, would be lost.
TEST(Int8Rows, PlacesAreApartAndInside) {
  for (const RowOrder order : {RowOrder::kRows, RowOrder::kEightRows, RowOrder::kFragments}) {
    const unsigned rows = rowsOf(order);
    std::set<unsigned long long> codes, words;
    for (unsigned row = 0; row < rowsHeld(order, rows); ++row) {
      for (unsigned column = 0; column < kColumns; ++column) codes.insert(codeAt(order, row, column));
      for (unsigned block = 0; block < kColumns / 32; ++block) {
        words.insert(scaleAt(order, row, block));
        words.insert(scaleAt(order, row, block) + sumAfterScale(order));
      }
    }
    EXPECT_EQ(codes.size(), codesBytes(order, rows, kColumns));
    EXPECT_LT(*codes.rbegin(), codesBytes(order, rows, kColumns));
    EXPECT_EQ(4 * words.size(), scalesBytes(order, rows, kColumns));
    EXPECT_LE(*words.rbegin() + 4, scalesBytes(order, rows, kColumns));
  }
  EXPECT_EQ(rowsHeld(RowOrder::kRows, 37), 37u);
  EXPECT_EQ(rowsHeld(RowOrder::kEightRows, 3), 8u);
  EXPECT_EQ(rowsHeld(RowOrder::kFragments, 37), 48u);
}

TEST(Int8Rows, LinesOfEightHaveTheirOperands) {
  constexpr RowOrder kOrder = RowOrder::kEightRows;
  for (unsigned block = 0; block < kColumns / 32; ++block)
    for (unsigned row = 0; row < 8; ++row) {
      for (unsigned column = 0; column < 32; ++column)
        ASSERT_EQ(codeAt(kOrder, row, 32 * block + column),
                  (block * 32 + 4 * row + column % 16 / 4) * 8 + column / 16 * 4 + column % 4);
      ASSERT_EQ(scaleAt(kOrder, row, block), (block * 8 + row) * 8);
    }
}

// The operands of mma m8n8k16: lane 4g + q has elements 4q ... of row g, of the first and the second 16 columns.
TEST(Int8Rows, LanesHaveTheirOperands) {
  constexpr RowOrder kOrder = RowOrder::kFragments;
  constexpr unsigned kBlocks = kColumns / 32;
  for (unsigned tile = 0; tile < 3; ++tile)
    for (unsigned block = 0; block < kBlocks; ++block)
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned byte = 0; byte < 16; ++byte) {
          const unsigned row = 16 * tile + lane / 4 + byte / 8 * 8;
          const unsigned column = 32 * block + byte / 4 % 2 * 16 + lane % 4 * 4 + byte % 4;
          ASSERT_EQ(codeAt(kOrder, row, column), ((tile * kBlocks + block) * 32 + lane) * 16 + byte);
        }
  for (unsigned row = 0; row < 48; ++row)
    for (unsigned block = 0; block < kBlocks; ++block)
      ASSERT_EQ(scaleAt(kOrder, row, block), (row / 16 * kBlocks + block) * 128 + row % 8 * 8 + row / 8 % 2 * 4);
}

} // namespace
} // namespace llcuda
