// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/folded_experts.h"

#include <cstring>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/formats/numbers.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Tensors whose elements are 0, 1, 2, ... in the order of memory; of bf16 too.
class Counted final : public Checkpoint {
public:
  explicit Counted(const std::vector<TensorInfo>& list) { setTensors(list); }
  Result<TensorBytes> read(const TensorInfo& tensor) const override {
    size_t count = 1;
    for (const uint64_t dim : tensor.dims) count *= dim;
    const size_t bytes = tensor.type == TensorType::kF32 ? 4 : 2;
    const auto values = std::make_shared<std::vector<std::byte>>(count * bytes);
    for (size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(i);
      const auto bits = static_cast<uint16_t>(formats::bitsFromFloat(value) >> 16);
      std::memcpy(values->data() + i * bytes, bytes == 4 ? static_cast<const void*>(&value) : &bits, bytes);
    }
    return TensorBytes{tensor.type, *values, values};
  }
  std::string title(std::string_view name) const override { return "file's " + std::string(name); }
};

Result<std::unique_ptr<const Checkpoint>> unfolded(const std::vector<TensorInfo>& list, bool byTurns) {
  return FoldedExperts::over(std::make_unique<Counted>(list), byTurns);
}

std::string errorOf(const std::vector<TensorInfo>& list, bool byTurns = false) {
  const auto made = unfolded(list, byTurns);
  return made ? "no error" : made.error().message;
}

std::vector<float> valuesOf(const Checkpoint& checkpoint, const std::string& name, const std::vector<uint64_t>& dims) {
  const TensorInfo* tensor = checkpoint.find(name);
  if (!tensor || tensor->dims != dims || tensor->type != TensorType::kF32)
    return {};
  const Result<TensorBytes> bytes = checkpoint.read(*tensor);
  if (!bytes)
    return {};
  std::vector<float> values(bytes->bytes.size() / 4);
  std::memcpy(values.data(), bytes->bytes.data(), bytes->bytes.size());
  return values;
}

TensorInfo f32(const std::string& name, std::vector<uint64_t> dims) {
  return {name, TensorType::kF32, std::move(dims)};
}

// Two experts of four rows of two inputs: the first two rows of each are the gate's.
TEST(FoldedExperts, GateBeforeUp) {
  const auto made =
      unfolded({f32("token_embd.weight", {2, 2}), f32("blk.0.ffn_gate_up_exps.weight", {2, 4, 2})}, false);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ((*made)->tensors().size(), 3u);
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_gate_exps.weight", {2, 2, 2}), ElementsAre(0, 1, 2, 3, 8, 9, 10, 11));
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_up_exps.weight", {2, 2, 2}), ElementsAre(4, 5, 6, 7, 12, 13, 14, 15));
  EXPECT_EQ((*made)->title("blk.0.ffn_up_exps.weight"), "file's blk.0.ffn_gate_up_exps.weight");
  EXPECT_EQ(valuesOf(**made, "token_embd.weight", {2, 2}).size(), 4u);
}

TEST(FoldedExperts, ByTurns) {
  const auto made = unfolded({f32("blk.3.ffn_gate_up_exps.weight", {2, 4, 2})}, true);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_THAT(valuesOf(**made, "blk.3.ffn_gate_exps.weight", {2, 2, 2}), ElementsAre(0, 1, 4, 5, 8, 9, 12, 13));
  EXPECT_THAT(valuesOf(**made, "blk.3.ffn_up_exps.weight", {2, 2, 2}), ElementsAre(2, 3, 6, 7, 10, 11, 14, 15));
}

// One expert of three inputs and four outputs, of which memory has the outputs of an input together.
TEST(FoldedExperts, InputsBeforeOutputs) {
  const auto made = unfolded(
      {f32("blk.0.ffn_gate_up_exps_columns.weight", {4, 3, 1}), f32("blk.0.ffn_down_exps_columns.weight", {3, 2, 1})},
      true);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_gate_exps.weight", {3, 2, 1}), ElementsAre(0, 4, 8, 2, 6, 10));
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_up_exps.weight", {3, 2, 1}), ElementsAre(1, 5, 9, 3, 7, 11));
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_down_exps.weight", {2, 3, 1}), ElementsAre(0, 3, 1, 4, 2, 5));
}

// In f32 whatever they are stored in.
TEST(FoldedExperts, Biases) {
  const auto made = unfolded({{"blk.0.ffn_gate_up_exps_bias.weight", TensorType::kBF16, {4, 2}},
                              {"blk.0.ffn_down_exps_bias.weight", TensorType::kBF16, {3, 2}},
                              {"blk.1.ffn_gate_up_exps.bias", TensorType::kF32, {2, 2}}},
                             true);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_gate_exps.bias", {2, 2}), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_up_exps.bias", {2, 2}), ElementsAre(1, 3, 5, 7));
  EXPECT_THAT(valuesOf(**made, "blk.0.ffn_down_exps.bias", {3, 2}), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(valuesOf(**made, "blk.1.ffn_up_exps.bias", {1, 2}), ElementsAre(1, 3));
}

TEST(FoldedExperts, RefusalsNameTheTensor) {
  EXPECT_EQ(errorOf({f32("blk.0.ffn_gate_up_exps.weight", {2, 3, 2})}),
            "tensor file's blk.0.ffn_gate_up_exps.weight has 3 rows, which are not those of gate and up");
  EXPECT_THAT(errorOf({f32("blk.0.ffn_gate_up_exps.weight", {2, 4})}), HasSubstr("has 2 dimensions"));
  EXPECT_THAT(errorOf({f32("blk.0.ffn_gate_up_exps_bias.weight", {3, 2})}), HasSubstr("has 3 elements of each expert"));
  EXPECT_THAT(errorOf({f32("blk.0.ffn_gate_up_exps_bias.weight", {4, 3, 2})}), HasSubstr("of 3 dimensions is f32"));
  EXPECT_THAT(errorOf({{"blk.0.ffn_down_exps_columns.weight", TensorType::kNf4, {64, 64, 2}}}),
              HasSubstr("whose inputs cannot come before its outputs"));
  EXPECT_THAT(errorOf({f32("blk.0.ffn_up_exps.weight", {2, 2, 2}), f32("blk.0.ffn_gate_up_exps.weight", {2, 4, 2})}),
              HasSubstr("holds blk.0.ffn_up_exps.weight, which another tensor holds too"));
}

} // namespace
} // namespace llcuda::ingest
