// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/layer_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codegen/random_blocks.h"
#include "tests/compiler/ingest/memory_checkpoint.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kTable = "per_layer_token_embd.weight";
constexpr uint64_t kColumns = 32, kLayers = 3, kTokens = 5;

Result<std::unique_ptr<LayerTensors>> over(std::vector<MemoryCheckpoint::Entry> entries,
                                           const LayerTensorSizes& sizes) {
  return LayerTensors::over(std::make_unique<MemoryCheckpoint>(std::move(entries)), sizes);
}

MemoryCheckpoint::Entry table(TensorType type, uint64_t columns = kColumns * kLayers) {
  return storedTensor(kTable, type, {columns, kTokens}, scatteredValues(columns * kTokens));
}

// A layer that got its neighbour's columns, or rows that start anywhere else, would show.
TEST(LayerTensors, ColumnsOfEachLayer) {
  for (const TensorType type : {TensorType::kF32, TensorType::kQ8_0, TensorType::kQ4_0}) {
    const std::vector<float> whole = decodedTensor(MemoryCheckpoint({table(type)}), kTable);
    const auto model = over({table(type)}, {kColumns, {0, 0, 0}});
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ((*model)->find(kTable), nullptr);
    for (size_t layer = 0; layer < kLayers; ++layer) {
      const std::string name = "blk." + std::to_string(layer) + ".layer_token_embd.weight";
      ASSERT_NE((*model)->find(name), nullptr);
      EXPECT_THAT((*model)->find(name)->dims, ElementsAre(kColumns, kTokens));
      EXPECT_FALSE((*model)->filePlace(*(*model)->find(name)));
      const std::vector<float> own = decodedTensor(**model, name);
      ASSERT_EQ(own.size(), kColumns * kTokens);
      for (size_t i = 0; i < own.size(); ++i)
        EXPECT_EQ(own[i], whole[i / kColumns * kColumns * kLayers + layer * kColumns + i % kColumns])
            << name << " " << i;
    }
  }
}

TEST(LayerTensors, NormsOfOnesInEachLayersSize) {
  const auto model = over({table(TensorType::kF32)}, {0, {8, 0, 16}});
  ASSERT_TRUE(model);
  EXPECT_NE((*model)->find(kTable), nullptr) << "it is left to whoever reads it";
  EXPECT_EQ((*model)->find("blk.1.attn_v_norm.weight"), nullptr);
  EXPECT_EQ(decodedTensor(**model, "blk.0.attn_v_norm.weight").size(), 8u);
  EXPECT_THAT(decodedTensor(**model, "blk.2.attn_v_norm.weight"), Each(1.f));
}

void expectError(const Result<std::unique_ptr<LayerTensors>>& model, ErrorCode code, const char* message) {
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, code);
  EXPECT_THAT(model.error().message, HasSubstr(message));
}

TEST(LayerTensors, TablesThatAreNone) {
  const LayerTensorSizes sizes = {kColumns, {0, 0, 0}};
  expectError(over({}, sizes), ErrorCode::kBadInput, "the model has no tensor per_layer_token_embd.weight");
  expectError(over({table(TensorType::kF32, 64)}, sizes), ErrorCode::kBadInput,
              "has rows of 64, not of 32 for each of 3 layers");
  expectError(over({table(TensorType::kQ8_0, 96)}, {16, {0, 0, 0, 0, 0, 0}}), ErrorCode::kUnsupported,
              "is q8_0, whose blocks of 32 hold numbers of two layers of 16");
  expectError(over({storedTensor("blk.0.attn_v_norm.weight", TensorType::kF32, {4}, {1, 2, 3, 4})}, {0, {4}}),
              ErrorCode::kBadInput, "blk.0.attn_v_norm.weight is not part of the architecture");
}

} // namespace
} // namespace llcuda::ingest
