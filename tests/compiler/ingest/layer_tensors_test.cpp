// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/layer_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/ingest/memory_checkpoint.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::unique_ptr<LayerTensors>> over(MemoryCheckpoint::Entry entry, std::vector<uint64_t> heads) {
  std::vector<MemoryCheckpoint::Entry> entries;
  entries.push_back(std::move(entry));
  return LayerTensors::over(std::make_unique<MemoryCheckpoint>(std::move(entries)), heads);
}

TEST(LayerTensors, NormsOfOnesInEachLayersSize) {
  const auto model = over(storedTensor("stored", TensorType::kF32, {2}, {5, 6}), {8, 0, 16});
  ASSERT_TRUE(model);
  EXPECT_THAT(decodedTensor(**model, "stored"), ElementsAre(5.f, 6.f));
  EXPECT_EQ((*model)->find("blk.1.attn_v_norm.weight"), nullptr);
  EXPECT_EQ(decodedTensor(**model, "blk.0.attn_v_norm.weight").size(), 8u);
  EXPECT_THAT(decodedTensor(**model, "blk.2.attn_v_norm.weight"), Each(1.f));
  EXPECT_FALSE((*model)->filePlace(*(*model)->find("blk.2.attn_v_norm.weight")));
}

TEST(LayerTensors, ANormThatTheModelHas) {
  const auto model = over(storedTensor("blk.0.attn_v_norm.weight", TensorType::kF32, {4}, {1, 2, 3, 4}), {4});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(model.error().message, HasSubstr("blk.0.attn_v_norm.weight is not part of the architecture"));
}

} // namespace
} // namespace llcuda::ingest
