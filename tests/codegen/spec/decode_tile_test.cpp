// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/decode_tile.h"

#include <bit>

#include <gtest/gtest.h>

#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// What the kernels assert, over sizes of real models and odd ones.
TEST(DecodeTile, KeepsWhatKernelsRelyOn) {
  for (unsigned layout = 0; layout < kWeightLayouts; ++layout)
    for (uint32_t inputRows = 1; inputRows <= 8; ++inputRows)
      for (uint32_t columns : {32u, 96u, 576u, 896u, 4096u, 14336u})
        for (uint32_t outputs : {1u, 2u, 37u, 576u, 49152u})
          for (uint32_t weights : {1u, 2u})
            for (uint32_t rowsMultiple : {1u, 2u})
              for (uint32_t blockRows : {1u, 32u}) {
                if (outputs < rowsMultiple || outputs % rowsMultiple != 0)
                  continue;
                const DecodeTile tile = chooseDecodeTile({.layout = static_cast<WeightLayout>(layout),
                                                          .inputRows = inputRows,
                                                          .columns = columns,
                                                          .outputs = outputs,
                                                          .smallestPart = outputs,
                                                          .weights = weights,
                                                          .rowsMultiple = rowsMultiple,
                                                          .blockRowsMultiple = blockRows});
                EXPECT_TRUE(tile.lanes == 8 || tile.lanes == 16 || tile.lanes == 32);
                EXPECT_GE(tile.lanes, std::bit_ceil(inputRows)) << "a lane answers for one input row";
                EXPECT_TRUE(std::has_single_bit(tile.rows));
                EXPECT_EQ(tile.rows % rowsMultiple, 0u);
                EXPECT_EQ(tile.blockRows() % blockRows, 0u);
                EXPECT_LE(tile.threads() * tile.minBlocksPerSm, t4::kThreadsPerMultiprocessor);
                if (blockRows == 1) {
                  EXPECT_LE(tile.rows, outputs) << "a group must fit into the weight";
                }
              }
}

// 18 blocks of 32 in a row: 8 lanes idle in a quarter of the last step, 32 lanes would in nearly half of all steps.
TEST(DecodeTile, NarrowRowsTakeNarrowGroups) {
  const auto lanes = [](WeightLayout layout, uint32_t columns) {
    return chooseDecodeTile({.layout = layout, .columns = columns, .outputs = 49152, .smallestPart = 49152}).lanes;
  };
  EXPECT_EQ(lanes(WeightLayout::kQ4_1Planes, 576), 8u);
  EXPECT_EQ(lanes(WeightLayout::kQ4_1Planes, 1536), 16u);
  EXPECT_EQ(lanes(WeightLayout::kQ4_1Planes, 4096), 32u);
}

// A small weight is spread over the multiprocessors before a group takes more rows.
TEST(DecodeTile, SmallWeightsAreSpread) {
  const DecodeTile small =
      chooseDecodeTile({.layout = WeightLayout::kQ4_1Planes, .columns = 576, .outputs = 576, .smallestPart = 576});
  EXPECT_EQ(small.rows, 1u);
  EXPECT_GE(576 / small.blockRows(), 30u);
  const DecodeTile large =
      chooseDecodeTile({.layout = WeightLayout::kQ4_1Planes, .columns = 4096, .outputs = 14336, .smallestPart = 14336});
  EXPECT_EQ(large.rows, 4u);
}

} // namespace
} // namespace llcuda::codegen
