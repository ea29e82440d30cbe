// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/half_rows.h"

#include <gtest/gtest.h>

namespace llcuda {
namespace {

// The operands of mma m16n8k8, of which a lane takes two for 16 columns: lane 4g + q has elements 4q ... of row g, then
// of row g + 8. Each place is named once, so no two elements share one.
TEST(HalfRows, LanesHaveTheirOperands) {
  constexpr unsigned kRows = 37, kColumns = 96, kBlocks = kColumns / 16;
  for (unsigned tile = 0; tile < 3; ++tile)
    for (unsigned block = 0; block < kBlocks; ++block)
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned half = 0; half < 8; ++half) {
          const unsigned row = 16 * tile + lane / 4 + half / 4 * 8, column = 16 * block + lane % 4 * 4 + half % 4;
          ASSERT_EQ(halvesOfRow(row, kColumns) + halvesOfFour(column / 4) + column % 4 * 2,
                    ((tile * kBlocks + block) * 32 + lane) * 16 + half * 2);
        }
  EXPECT_EQ(halvesBytes(kRows, kColumns), 3u * kBlocks * 512);
  EXPECT_EQ(halfScalesBytes(kRows), 48u * 4);
}

} // namespace
} // namespace llcuda
