// SPDX-License-Identifier: Apache-2.0
// Works of launches against bytes and products that are counted by hand.
#include "codegen/spec/launch_works.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/formats/token_score.h"
#include "codegen/pack/pack.h"
#include "tests/codegen/linear_descs.h"

namespace llcuda::codegen {
namespace {

constexpr KvCacheDesc kCache = {.maxContext = 1024, .keyType = KvType::kQ8_0, .valueType = KvType::kF16};

// A weight is read as often as it lies in memory: once. 256-byte steps between planes are not read.
TEST(LaunchWorks, LinearReadsItsWeightOnce) {
  for (unsigned i = 0; i < kWeightLayouts; ++i) {
    const auto layout = static_cast<WeightLayout>(i);
    const LaunchWork work = linearLaunch(linearOf(layout, 2, 512, 96)).work;
    EXPECT_EQ(work.rows, 2u);
    EXPECT_EQ(work.rowMultiplyAdds, 512u * 96);
    const uint64_t packed = pack::packedBytes(layout, 96, 512).value();
    EXPECT_LE(work.fixedBytes, packed) << pack::layoutName(layout);
    EXPECT_GT(work.fixedBytes + 4 * 256, packed) << pack::layoutName(layout);
    EXPECT_EQ(work.rowRead, weightReadsInt8Rows(layout) ? 512u + 16 * 8 : 4u * 512) << pack::layoutName(layout);
    EXPECT_EQ(work.unit, weightReadsInt8Rows(layout) ? ArithmeticUnit::kDp4a : ArithmeticUnit::kFp32);
    EXPECT_EQ(work.rowWritten, 4u * 96);
  }
}

TEST(LaunchWorks, BiasAndResidual) {
  const LinearDesc plain = linearOf(WeightLayout::kQ8_0Planes, 1, 64, 32);
  const LinearDesc both = biased(linearOf(WeightLayout::kQ8_0Planes, 1, 64, 32, StoreRows{.residual = true}));
  EXPECT_EQ(workOf(both).fixedBytes, workOf(plain).fixedBytes + 4 * 32);
  EXPECT_EQ(workOf(both).rowRead, workOf(plain).rowRead + 4 * 32);
}

// A low-rank product beside a weight: b once, and the inner products of each row. Few rows make these, with a once, of
// their f32 rows.
TEST(LaunchWorks, LowRank) {
  const LinearDesc plain = gluOf(WeightLayout::kQ8_0Planes, 2, 64, 96);
  LinearDesc adapted = plain;
  adapted.lowRank = 32;
  adapted.parts[1].lowRank = true;
  EXPECT_EQ(workOf(adapted).fixedBytes, workOf(plain).fixedBytes + 2 * 96 * 32 + 2 * 32 * 64);
  EXPECT_EQ(workOf(adapted).rowRead, workOf(plain).rowRead + 4 * 32 + 4 * 64);
  EXPECT_EQ(workOf(adapted).rowWritten, workOf(plain).rowWritten + 4 * 32);
  EXPECT_EQ(workOf(adapted).rowMultiplyAdds, workOf(plain).rowMultiplyAdds + 96 * 32 + 32 * 64);
  EXPECT_EQ(workOf(manyRows(adapted)).fixedBytes, workOf(manyRows(plain)).fixedBytes + 2 * 96 * 32);
  EXPECT_EQ(workOf(manyRows(adapted)).rowRead, workOf(manyRows(plain)).rowRead + 4 * 32);
  const LaunchWork inner = lowRankLaunch({.rows = 20, .inputs = 64, .rank = 32}).work;
  EXPECT_EQ(inner.fixedBytes, 2u * 32 * 64);
  EXPECT_EQ(inner.rowRead, 4u * 64);
  EXPECT_EQ(inner.rowWritten, 4u * 32);
  EXPECT_EQ(inner.rowMultiplyAdds, 32u * 64);
}

// With norms of heads the three linears are a launch of their own: its products are stated like any others.
TEST(LaunchWorks, QkvCountsAllThree) {
  const LinearDesc desc = qkvOf(WeightLayout::kQ8_0Planes, WeightLayout::kF16Rows, 1, 64, 128, 32);
  const LaunchWork work = linearLaunch(desc).work;
  EXPECT_EQ(work.rowMultiplyAdds, 64u * (128 + 2 * 32));
  EXPECT_EQ(work.fixedBytes, (128u + 32) * 2 * 34 + 32u * 128);
  EXPECT_EQ(work.rowRead, 4u * 64 + 64 + 2 * 8); // in both forms
  EXPECT_EQ(work.rowWritten, 4u * (128 + 2 * 32));
  EXPECT_EQ(linearLaunch(manyRows(desc)).work.unit, ArithmeticUnit::kTensorInt8);
  EXPECT_EQ(linearLaunch(manyRows(desc)).work.rowRead, 2u * 64 + 4 + 64 + 2 * 8); // f16 rows, for tensor cores
}

// The same linears with the rotation and the cache write in one launch: keys and values are written as the cache has
// them.
TEST(LaunchWorks, QkvRopeCacheWritesTheCache) {
  const LaunchWork work = linearLaunch(qkvOf(WeightLayout::kF16Rows, WeightLayout::kF16Rows, 1, 64, 128, 64,
                                             RopeCacheRows{.headSize = 32, .dimensions = 16, .cache = kCache}))
                              .work;
  EXPECT_EQ(work.rowMultiplyAdds, 64u * (128 + 2 * 64));
  EXPECT_EQ(work.rowRead, 4u * 64 + 4 * 16);
  EXPECT_EQ(work.rowWritten, 4u * 128 + 2 * (34 + 64));
}

TEST(LaunchWorks, GatedUnitHasTwoWeights) {
  const LaunchWork work = linearLaunch(gluOf(WeightLayout::kF16Rows, 1, 64, 96)).work;
  EXPECT_EQ(work.rowMultiplyAdds, 2u * 64 * 96);
  EXPECT_EQ(work.fixedBytes, 2u * 96 * 128);
  EXPECT_EQ(work.rowWritten, 96u + 3 * 8);
  const LaunchWork prompt = linearLaunch(manyRows(gluOf(WeightLayout::kF16Rows, 64, 64, 96))).work;
  EXPECT_EQ(prompt.rows, 64u);
  EXPECT_EQ(prompt.rowMultiplyAdds, work.rowMultiplyAdds);
  EXPECT_EQ(prompt.unit, ArithmeticUnit::kTensorF16);
}

// A post-norm reads its scale beside the norm's, and its product is written before it is normed.
TEST(LaunchWorks, PostNormInTheLinear) {
  const LaunchWork plain = linearLaunch(linearOf(WeightLayout::kF16Rows, 1, 64, 96, NormRows{})).work;
  const LaunchWork post = linearLaunch(linearOf(WeightLayout::kF16Rows, 1, 64, 96, NormRows{.postNorm = true})).work;
  EXPECT_EQ(plain.fixedBytes, 96u * 128 + 4 * 96);
  EXPECT_EQ(plain.rowRead, 4u * 64 + 4 * 96);
  EXPECT_EQ(plain.rowWritten, 4u * 96 + 96 + 3 * 8);
  EXPECT_EQ(post.fixedBytes, plain.fixedBytes + 4 * 96);
  EXPECT_EQ(post.rowWritten, plain.rowWritten + 4 * 96);
}

// A key is read once for all heads that share it; products are of every head.
TEST(LaunchWorks, AttentionByKeys) {
  const AttentionDesc desc = {.rows = 2, .heads = 4, .kvHeads = 2, .headSize = 32, .cache = kCache, .window = 100};
  const LaunchWork work = attentionDecodeLaunch(desc).work;
  EXPECT_EQ(work.keyBytes, 2u * (34 + 64));
  EXPECT_EQ(work.keyMultiplyAdds, 2u * 4 * 32);
  EXPECT_EQ(work.window, 100u);
  EXPECT_EQ(work.rowRead, 4u * 128);
  EXPECT_EQ(work.rowWritten, 128u + 4 * 8 + (attentionSplits(desc) > 1 ? attentionPartialBytes(desc) / 2 : 0));
  const LaunchWork prompt = attentionPromptLaunch(desc).work;
  EXPECT_EQ(prompt.rowRead, 2u * 128);
  EXPECT_EQ(prompt.keyBytes, work.keyBytes);
}

TEST(LaunchWorks, RowByRow) {
  EXPECT_EQ(rmsNormLaunch({.rows = 3, .columns = 64}).work,
            (LaunchWork{.rows = 3, .fixedBytes = 256, .rowRead = 256, .rowWritten = 256}));
  EXPECT_EQ(postNormLaunch({.rows = 3, .columns = 64}).work,
            (LaunchWork{.rows = 3, .fixedBytes = 512, .rowRead = 512, .rowWritten = 512}));
  EXPECT_EQ(quantizeLaunch({.rows = 3, .columns = 64}).work, (LaunchWork{.rows = 3, .rowRead = 256, .rowWritten = 80}));
  EXPECT_EQ(halfRowsLaunch({.rows = 3, .columns = 64}).work,
            (LaunchWork{.rows = 3, .rowRead = 256, .rowWritten = 128 + 4}));
  EXPECT_EQ(gluLaunch({.rows = 3, .columns = 64}).work, (LaunchWork{.rows = 3, .rowRead = 512, .rowWritten = 80}));
  EXPECT_EQ(addLaunch({.rows = 3, .columns = 64}).work, (LaunchWork{.rows = 3, .rowRead = 512, .rowWritten = 256}));
  EXPECT_EQ(scaleLaunch({.rows = 3, .columns = 64}, 2).work,
            (LaunchWork{.rows = 3, .rowRead = 256, .rowWritten = 256}));
  EXPECT_EQ(softcapLaunch({.rows = 3, .columns = 64}, 2).work,
            (LaunchWork{.rows = 3, .rowRead = 256, .rowWritten = 256}));
  EXPECT_EQ(pickRowsLaunch({.rows = 1, .columns = 64}).work,
            (LaunchWork{.rows = 1, .rowRead = 256, .rowWritten = 256}));
  EXPECT_EQ(embeddingLaunch({.layout = WeightLayout::kQ8_0Planes, .rows = 3, .columns = 64, .vocabulary = 1000}).work,
            (LaunchWork{.rows = 3, .rowRead = 68, .rowWritten = 256}));
}

TEST(LaunchWorks, HeadsAndCache) {
  EXPECT_EQ(headRowsLaunch({.rows = 3, .heads = 4, .headSize = 32, .turn = {.dimensions = 16, .norm = true}}).work,
            (LaunchWork{.rows = 3, .fixedBytes = 128, .rowRead = 512 + 64, .rowWritten = 512}));
  EXPECT_EQ(
      ropeCacheLaunch({.rows = 3, .heads = 4, .kvHeads = 2, .headSize = 32, .turn = {.norm = true}, .cache = kCache})
          .work,
      (LaunchWork{.rows = 3, .fixedBytes = 256, .rowRead = 4 * 256, .rowWritten = 2 * 128 + 2 * (34 + 64)}));
}

TEST(LaunchWorks, SampleReadsTheLogits) {
  const SampleDesc desc = {.outputs = 2, .vocabulary = 1000};
  const LaunchWork work = sampleLaunch(desc).work;
  EXPECT_EQ(work.rows, 2u);
  EXPECT_EQ(work.rowRead, 4000u);
  EXPECT_EQ(work.rowWritten, samplePartialBytes(desc) / 2);
}

TEST(LaunchWorks, LogProbabilitiesReadTheLogits) {
  const LogProbabilitiesDesc desc = {.outputs = 2, .vocabulary = 5000};
  const LaunchWork work = logProbabilitiesLaunch(desc).work;
  EXPECT_EQ(work.rows, 2u);
  EXPECT_EQ(work.rowRead, 20000u);
  EXPECT_EQ(work.rowWritten, logProbabilitiesPartialBytes(desc) / 2 + sizeof(TokenScore));
}

// Rows that hold no token move nothing, and a launch of the outputs has only those.
TEST(LaunchWork, BytesOfAStep) {
  const LaunchWork work = {.rows = 64, .fixedBytes = 1000, .rowRead = 10, .rowWritten = 5, .keyBytes = 2};
  EXPECT_EQ(bytesOf(work, {.rows = 20, .sequences = 1, .positions = 300}), 1000u + 20 * 15 + 300 * 2);
  const LaunchWork outputs = {.rows = 1, .rowRead = 10};
  EXPECT_EQ(bytesOf(outputs, {.rows = 20, .sequences = 1, .positions = 300}), 10u);
}

// One row reads the experts that it chose, many rows nearly all; tiles are as many as these experts' choices fill, with
// half a tile left over on average.
TEST(LaunchWork, ExpertsOfAStep) {
  const LaunchWork work = {
      .rows = 512, .rowRead = 10, .expertBytes = 1000, .experts = 32, .choices = 4, .tileRows = 32};
  EXPECT_DOUBLE_EQ(expertsChosen(work, 1), 4);
  EXPECT_DOUBLE_EQ(expertsChosen(work, 2), 7.5);
  EXPECT_EQ(bytesOf(work, {.rows = 2, .sequences = 2, .positions = 0}), 2u * 10 + 7500);
  EXPECT_NEAR(expertsChosen(work, 512), 32, 1e-9);
  EXPECT_DOUBLE_EQ(expertTiles(work, 1), 4);
  EXPECT_NEAR(expertTiles(work, 512), 64 + 32 * 31 / 64., 1e-9);
  EXPECT_EQ(mostExpertTiles(512, 32, 4, 32), 95u);
  EXPECT_EQ(mostExpertTiles(1, 32, 4, 32), 4u);
  EXPECT_EQ(expertsChosen({.rows = 1}, 1), 0);
}

// A window of 8 keys: one row of each of two sequences sees 8 each, twenty rows of one sequence 8 + 19 together.
TEST(LaunchWork, KeysOfAWindow) {
  const LaunchWork work = {.rows = 64, .window = 8, .keyBytes = 1};
  EXPECT_EQ(keysRead(work, {.rows = 2, .sequences = 2, .positions = 300}), 16u);
  EXPECT_EQ(keysRead(work, {.rows = 20, .sequences = 1, .positions = 300}), 27u);
  EXPECT_EQ(keysRead(work, {.rows = 2, .sequences = 2, .positions = 5}), 5u);
}

} // namespace
} // namespace llcuda::codegen
