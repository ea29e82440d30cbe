// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/padded_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codegen/random_blocks.h"
#include "tests/compiler/ingest/memory_checkpoint.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using ::testing::Each;
using ::testing::ElementsAre;

constexpr uint64_t kHidden = 64, kUnits = 40, kPadded = 64;

class Padded : public ::testing::Test {
protected:
  /// Layer 0 has 40 units, layer 1 has 64.
  PaddedCheckpoint padded(std::vector<MemoryCheckpoint::Entry> entries) const {
    return {std::make_unique<MemoryCheckpoint>(std::move(entries)), {kUnits, kPadded}};
  }
  std::vector<float> values = scatteredValues(2 * kUnits * kHidden);
};

std::vector<float> slice(const std::vector<float>& values, size_t begin, size_t count) {
  return {values.begin() + static_cast<std::ptrdiff_t>(begin),
          values.begin() + static_cast<std::ptrdiff_t>(begin + count)};
}

// Rows of encoded blocks, zeros behind them.
TEST_F(Padded, RowsOfTheGate) {
  values.resize(kUnits * kHidden);
  const auto entry = storedTensor("blk.0.ffn_gate.weight", TensorType::kQ4_0, {kHidden, kUnits}, values);
  const MemoryCheckpoint before({entry});
  const PaddedCheckpoint model = padded({entry});
  EXPECT_THAT(model.find("blk.0.ffn_gate.weight")->dims, ElementsAre(kHidden, kPadded));
  const auto answered = decodedTensor(model, "blk.0.ffn_gate.weight");
  EXPECT_EQ(slice(answered, 0, values.size()), decodedTensor(before, "blk.0.ffn_gate.weight"));
  EXPECT_THAT(slice(answered, values.size(), (kPadded - kUnits) * kHidden), Each(0.f));
  EXPECT_FALSE(model.filePlace(*model.find("blk.0.ffn_gate.weight")));
}

// Gate and up in one tensor: each gets its own zeros.
TEST_F(Padded, RowsOfBothInOne) {
  const PaddedCheckpoint model =
      padded({storedTensor("blk.0.ffn_up.weight", TensorType::kF32, {kHidden, 2 * kUnits}, values)});
  const auto answered = decodedTensor(model, "blk.0.ffn_up.weight");
  ASSERT_EQ(answered.size(), 2 * kPadded * kHidden);
  for (size_t part : {0, 1}) {
    EXPECT_EQ(slice(answered, part * kPadded * kHidden, kUnits * kHidden),
              slice(values, part * kUnits * kHidden, kUnits * kHidden));
    EXPECT_THAT(slice(answered, (part * kPadded + kUnits) * kHidden, (kPadded - kUnits) * kHidden), Each(0.f));
  }
}

TEST_F(Padded, ColumnsOfDownAndBiases) {
  values.resize(kUnits * kHidden);
  const std::vector<float> bias = slice(values, 0, kUnits);
  const PaddedCheckpoint model =
      padded({storedTensor("blk.0.ffn_down.weight", TensorType::kF32, {kUnits, kHidden}, values),
              storedTensor("blk.0.ffn_up.bias", TensorType::kF32, {kUnits}, bias)});
  EXPECT_THAT(model.find("blk.0.ffn_down.weight")->dims, ElementsAre(kPadded, kHidden));
  const auto answered = decodedTensor(model, "blk.0.ffn_down.weight");
  for (size_t row = 0; row < kHidden; ++row) {
    EXPECT_EQ(slice(answered, row * kPadded, kUnits), slice(values, row * kUnits, kUnits));
    EXPECT_THAT(slice(answered, row * kPadded + kUnits, kPadded - kUnits), Each(0.f));
  }
  std::vector<float> expected = bias;
  expected.resize(kPadded);
  EXPECT_EQ(decodedTensor(model, "blk.0.ffn_up.bias"), expected);
}

// Other layers, other tensors and other shapes stay.
TEST_F(Padded, WhatStays) {
  values.resize(kUnits * kHidden);
  std::vector<MemoryCheckpoint::Entry> entries;
  for (const char* name : {"blk.1.ffn_gate.weight", "blk.0.attn_q.weight", "output.weight", "blk.7.ffn_up.weight"})
    entries.push_back(storedTensor(name, TensorType::kF32, {kHidden, kUnits}, values));
  entries.push_back(storedTensor("blk.0.ffn_down.weight", TensorType::kF32, {kHidden, kUnits}, values));
  const PaddedCheckpoint model = padded(entries);
  for (const TensorInfo& tensor : model.tensors()) {
    EXPECT_THAT(tensor.dims, ElementsAre(kHidden, kUnits)) << tensor.name;
    EXPECT_EQ(decodedTensor(model, tensor.name), values) << tensor.name;
  }
}

// What the zeros rely on.
TEST(PaddedBlocks, ZeroBytesAreZeros) {
  for (const TensorType type : llcuda::testing::weightTypes()) {
    const formats::TensorTypeInfo& info = formats::tensorTypeInfo(type);
    const std::vector<std::byte> block(info.blockBytes);
    std::vector<float> values(info.blockElements, 1.f);
    formats::dequantizeRow(type, block.data(), values.size(), values.data());
    EXPECT_THAT(values, Each(0.f)) << info.name;
  }
}

} // namespace
} // namespace llcuda::ingest
