// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/decode_tile.h"

#include <gtest/gtest.h>

#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// What the kernels assert, over sizes of real models and odd ones.
TEST(DecodeTile, KeepsWhatKernelsRelyOn) {
  for (unsigned layout = 0; layout < kWeightLayouts; ++layout)
    for (uint32_t inputRows = 1; inputRows <= 8; ++inputRows)
      for (uint32_t columns : {256u, 768u, 4096u, 14336u})
        for (uint32_t outputs : {1u, 37u, 576u, 49152u})
          for (uint32_t weights : {1u, 2u}) {
            const DecodeTileRequest request = {.layout = static_cast<WeightLayout>(layout),
                                               .inputRows = inputRows,
                                               .columns = columns,
                                               .outputs = outputs,
                                               .weights = weights};
            const DecodeTile tile = chooseDecodeTile(request);
            EXPECT_GE(tile.slices, 1u);
            EXPECT_LE(tile.slices, columns / weightBlockBytes(request.layout).columns) << "no warp without work";
            EXPECT_TRUE(tile.ahead == 1 || tile.ahead == 2 || tile.ahead == 4 || tile.ahead == 8);
            EXPECT_LE(tile.threads(request) * tile.minBlocksPerSm, t4::kThreadsPerMultiprocessor);
          }
}

uint32_t slicesOf(WeightLayout layout, uint32_t columns, uint32_t outputs, uint32_t weights = 1) {
  return chooseDecodeTile({.layout = layout, .columns = columns, .outputs = outputs, .weights = weights}).slices;
}

// 28 records of 256 inputs: 14 warps with two each, not 16 of which two have no work. The third of three slices of 7
// would be short, so there are four.
TEST(DecodeTile, SlicesAreEvenWhereTheyCanBe) {
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 7168, 4096), 14u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 3072, 3072), 12u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_1Planes, 576, 576), 9u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 7 * 256, 49152), 4u);
}

// A small weight is spread over many warps, fewer where its rows are long; of a large one each warp has a long way.
TEST(DecodeTile, SmallWeightsHaveMoreSlices) {
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 4096, 4096), 16u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 4096, 6144), 16u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 14336, 4096), 8u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 4096, 14336), 8u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ4_KPlanes, 2048, 8192, 2), 8u);
  EXPECT_EQ(slicesOf(WeightLayout::kQ6_KPlanes, 4096, 128256), 4u);
}

// Slices are the order of a sum: a row beside others has the bits that it has alone.
TEST(DecodeTile, SlicesDoNotDependOnTheNumberOfRows) {
  for (unsigned layout = 0; layout < kWeightLayouts; ++layout)
    for (uint32_t columns : {256u, 2048u, 4096u, 14336u})
      for (uint32_t weights : {1u, 2u}) {
        DecodeTileRequest request = {
            .layout = static_cast<WeightLayout>(layout), .columns = columns, .outputs = 4096, .weights = weights};
        const uint32_t slices = chooseDecodeTile(request).slices;
        for (request.inputRows = 2; request.inputRows <= 8; ++request.inputRows)
          EXPECT_EQ(chooseDecodeTile(request).slices, slices) << layout << " " << columns << " " << request.inputRows;
      }
}

} // namespace
} // namespace llcuda::codegen
