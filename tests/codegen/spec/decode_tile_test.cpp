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
                const DecodeTileRequest request = {.layout = static_cast<WeightLayout>(layout),
                                                   .inputRows = inputRows,
                                                   .columns = columns,
                                                   .outputs = outputs,
                                                   .smallestPart = outputs,
                                                   .weights = weights,
                                                   .rowsMultiple = rowsMultiple,
                                                   .blockRowsMultiple = blockRows};
                const DecodeTile tile = chooseDecodeTile(request);
                EXPECT_TRUE(tile.lanes == 8 || tile.lanes == 16 || tile.lanes == 32);
                EXPECT_GE(tile.lanes, std::bit_ceil(inputRows)) << "a lane answers for one input row";
                EXPECT_TRUE(std::has_single_bit(tile.rows));
                EXPECT_EQ(tile.rows % rowsMultiple, 0u);
                EXPECT_EQ(tile.blockRows(request) % blockRows, 0u);
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

// Lanes divide a row, so the order of its sum is theirs: a row beside others has the bits that it has alone.
TEST(DecodeTile, LanesDoNotDependOnTheNumberOfRows) {
  for (unsigned layout = 0; layout < kWeightLayouts; ++layout)
    for (uint32_t columns : {256u, 2048u, 4096u, 14336u})
      for (uint32_t blockRows : {1u, 32u}) {
        DecodeTileRequest request = {.layout = static_cast<WeightLayout>(layout),
                                     .columns = columns,
                                     .outputs = 4096,
                                     .smallestPart = 4096,
                                     .weights = 2,
                                     .blockRowsMultiple = blockRows};
        const uint32_t lanes = chooseDecodeTile(request).lanes;
        for (request.inputRows = 2; request.inputRows <= 8; ++request.inputRows)
          EXPECT_EQ(chooseDecodeTile(request).lanes, lanes) << layout << " " << columns << " " << request.inputRows;
      }
}

// Eight warps of two rows each make 32 rows in two rounds.
TEST(DecodeTile, RoundsMakeWholeBlocks) {
  DecodeTileRequest request = {.layout = WeightLayout::kQ4_KPlanes,
                               .inputRows = 8,
                               .columns = 4096,
                               .outputs = 14336,
                               .smallestPart = 14336,
                               .weights = 2,
                               .blockRowsMultiple = 32};
  const DecodeTile tile = chooseDecodeTile(request);
  EXPECT_EQ(tile.roundRows(), 16u);
  EXPECT_EQ(tile.rounds(request), 2u);
  EXPECT_EQ(tile.blockRows(request), 32u);
  request.inputRows = 1;
  EXPECT_EQ(chooseDecodeTile(request).rounds(request), 1u);
}

// A small weight is spread over the multiprocessors before a group takes more rows.
TEST(DecodeTile, SmallWeightsAreSpread) {
  const DecodeTile small =
      chooseDecodeTile({.layout = WeightLayout::kQ4_1Planes, .columns = 576, .outputs = 576, .smallestPart = 576});
  EXPECT_EQ(small.rows, 1u);
  EXPECT_GE(576 / small.roundRows(), 30u);
  const DecodeTile large =
      chooseDecodeTile({.layout = WeightLayout::kQ4_1Planes, .columns = 4096, .outputs = 14336, .smallestPart = 14336});
  EXPECT_EQ(large.rows, 4u);
}

} // namespace
} // namespace llcuda::codegen
